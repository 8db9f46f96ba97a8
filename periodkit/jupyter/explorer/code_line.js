// The code behind what is shown, and a button that copies it. Needs nothing from anywhere else.
// Pictures as wide as the page ask how wide that is when the window changes; the first time they are not on it yet.
function fitted(el) {
  const observer = new ResizeObserver(() => requestAnimationFrame(() => window.dispatchEvent(new Event("resize"))));
  observer.observe(el);
  return observer;
}

function render({ model, el }) {
  const box = document.createElement("div");
  box.className = "periodkit-code";
  const text = document.createElement("pre");
  text.tabIndex = 0;
  text.setAttribute("aria-label", "The code that makes frame and table");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy the code";
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  const show = () => {
    text.textContent = model.get("code");
    said.textContent = "";
  };
  button.addEventListener("click", async () => {
    const code = model.get("code");
    let done = true;
    try {
      await navigator.clipboard.writeText(code);
    } catch {
      // Without https the clipboard is only open to the old way.
      const area = document.createElement("textarea");
      area.value = code;
      area.style.position = "fixed";
      area.style.opacity = "0";
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
      button.focus();
    }
    said.textContent = done ? "Copied." : "The browser does not allow it: select the text and copy it.";
  });
  model.on("change:code", show);
  show();
  box.append(button, said, text);
  el.append(box);
  const fit = fitted(el);
  return () => {
    fit.disconnect();
    model.off("change:code", show);
  };
}
export default { render };
