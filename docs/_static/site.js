// Names and roles that the theme leaves out, for those who do not see the page.
document.addEventListener("DOMContentLoaded", () => {
  for (const summary of document.querySelectorAll("li.has-children > details > summary")) {
    const link = summary.closest("li").querySelector("a");
    summary.setAttribute("aria-label", `What is in ${link.textContent.trim()}`);
  }
  // Sphinx writes one parameter a line as a list of definitions without terms.
  for (const list of document.querySelectorAll("dt.sig > dl, dt > dl")) {
    list.setAttribute("role", "list");
    for (const item of list.children) item.setAttribute("role", "listitem");
  }
});
