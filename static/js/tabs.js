// Tabs: <nav data-tabs> of links to sections. Without script all sections show, one
// below the other; with it one shows, the arrow keys move, and the address follows.
function setUp(nav) {
  const links = Array.from(nav.querySelectorAll('a[href^="#"]'));
  const panels = links.map((link) => document.getElementById(link.hash.slice(1)));
  if (!links.length || panels.includes(null)) return;

  function select(index, move) {
    links.forEach((link, at) => {
      link.setAttribute("aria-selected", String(at === index));
      link.tabIndex = at === index ? 0 : -1;
      panels[at].hidden = at !== index;
    });
    if (move) links[index].focus();
  }

  function fromAddress() {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    const index = panels.findIndex((panel) => target && panel.contains(target));
    select(Math.max(index, 0), false);
    if (index >= 0 && target !== panels[index]) target.scrollIntoView();
  }

  nav.setAttribute("role", "tablist");
  links.forEach((link, index) => {
    link.setAttribute("role", "tab");
    link.id ||= `tab-${panels[index].id}`;
    link.setAttribute("aria-controls", panels[index].id);
    panels[index].setAttribute("role", "tabpanel");
    panels[index].setAttribute("aria-labelledby", link.id);
    panels[index].tabIndex = 0;
    link.addEventListener("click", (event) => {
      event.preventDefault();
      history.replaceState(null, "", link.hash);
      select(index, true);
    });
    link.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) select((index + step + links.length) % links.length, true);
    });
  });
  window.addEventListener("hashchange", fromAddress);
  fromAddress();
}

document.querySelectorAll("[data-tabs]").forEach(setUp);
