// The board's timer. It lives in the page: a notebook that is closed, or a kernel that is gone, asks no more.
function spoken(seconds) {
  const whole = Math.max(Math.round(seconds), 0);
  if (whole < 120) return `${whole} s`;
  return whole < 7200 ? `${Math.round(whole / 60)} min` : `${Math.round(whole / 3600)} h`;
}

// Pictures as wide as the page ask how wide that is when the window changes; the first time they are not on it yet.
function fitted(el) {
  const observer = new ResizeObserver(() => requestAnimationFrame(() => window.dispatchEvent(new Event("resize"))));
  observer.observe(el);
  return observer;
}

function render({ model, el }) {
  const box = document.createElement("div");
  box.className = "periodkit-ticker";
  const pause = document.createElement("button");
  const now = document.createElement("button");
  const said = document.createElement("span");
  for (const button of [pause, now]) button.type = "button";
  now.textContent = "Refresh now";
  let received = performance.now();
  let asked = false;
  const send = (kind) => {
    try {
      model.send({ kind });
    } catch {
      said.textContent = "The kernel is gone.";
    }
  };
  const passed = () => (performance.now() - received) / 1000;
  const show = () => {
    const { age, due, paused, busy, closed } = model.get("state");
    pause.textContent = paused ? "Resume" : "Pause";
    pause.disabled = now.disabled = Boolean(closed);
    const old = age === null ? "Nothing was fetched yet." : `Fetched ${spoken(age + passed())} ago.`;
    const next = closed ? "Closed." : busy ? "Fetching …" : paused ? "Paused." : `Next in ${spoken(due - passed())}.`;
    said.textContent = `${old} ${next}`;
  };
  const changed = () => {
    received = performance.now();
    asked = false;
    show();
  };
  const tick = () => {
    if (!el.isConnected) return; // not on the page: out of sight, or its notebook is closed
    show();
    const { due, paused, busy, closed } = model.get("state");
    if (paused || busy || closed || asked || passed() < due) return;
    asked = true;
    send("tick");
  };
  pause.addEventListener("click", () => send(model.get("state").paused ? "resume" : "pause"));
  now.addEventListener("click", () => send("refresh"));
  model.on("change:state", changed);
  box.append(pause, now, said);
  el.append(box);
  show();
  send("hello");
  const timer = setInterval(tick, 500);
  const fit = fitted(el);
  return () => {
    fit.disconnect();
    clearInterval(timer);
    model.off("change:state", changed);
  };
}
export default { render };
