// Where a reader is: what has the focus, and what is in sight. A live page keeps it while it loads itself
// again, also when what lies above has grown.
const place = (() => {
  const KEPT = "cyclelab-place";
  // What Tab reaches.
  const CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex]";
  const words = (nodes) => nodes.map((it) => it.textContent).join("").trim().replace(/\s+/g, " ");

  const around = (control) => {
    const names = [];
    for (let it = control.parentElement; it; it = it.parentElement) {
      names.push(it.id || (it.matches("details") ? opened.name(it) : it.getAttribute("aria-label")));
    }
    return names.filter(Boolean);
  };
  const own = (control) => {
    const { name, input } = control.dataset;
    const label = control.labels?.[0];
    if (control.matches("summary")) return opened.name(control.parentElement);
    // A live page gains columns.
    if (control.matches(".picture")) return `${samples.spelt(name)} ${input}`;
    // A menu's label has its options in it.
    if (label) return words([...label.childNodes].filter((it) => it.nodeType === Node.TEXT_NODE));
    return control.getAttribute("href") ?? control.getAttribute("aria-label") ?? words([control]);
  };
  // By what it says and where, not by its place among others: there may be more of them.
  const name = (control) => control.id || JSON.stringify([control.nodeName, own(control), ...around(control)]);
  const alike = (node, named) => [...document.querySelectorAll(node)].filter((it) => it.matches(CONTROLS) && name(it) === named);
  const told = (control) => {
    const [node, named] = [control.nodeName, name(control)];
    return { node, named, nth: alike(node, named).indexOf(control) };
  };
  const find = ({ node, named, nth }) => {
    const all = alike(node, named);
    return all[nth] ?? all.at(-1);
  };

  const top = (element) => element.getBoundingClientRect().top;
  const isShown = (element) => element.getClientRects().length > 0;
  // The nearest that has a name above what is read, and its section, should that be gone.
  const above = () => {
    const named = [...document.querySelectorAll("main [id]")].filter((it) => isShown(it) && top(it) < innerHeight / 3);
    const near = named.reduce((best, it) => (best && top(best) >= top(it) ? best : it), null);
    return [near, near?.closest("section[id]")].filter(Boolean).map((it) => ({ id: it.id, top: top(it) }));
  };

  const keep = () => {
    const at = document.activeElement;
    const focus = at?.matches(CONTROLS) ? told(at) : null;
    const isInSight = focus && isShown(at) && top(at) >= 0 && top(at) < innerHeight;
    const sideways = [...document.querySelectorAll(".scroll")].filter((it) => it.scrollLeft && it.matches(CONTROLS));
    const kept = {
      page: location.pathname, focus, y: scrollY, top: isInSight ? top(at) : null, above: above(),
      sideways: sideways.map((it) => [told(it), it.scrollLeft]),
    };
    try {
      sessionStorage.setItem(KEPT, JSON.stringify(kept));
      // Else the browser would go back to where the page was scrolled before it grew.
      history.scrollRestoration = "manual";
    } catch { /* then the browser does what it can */ }
  };

  const scroll = ({ focus, y, top: before, above }) => {
    const control = focus && before !== null ? find(focus) : null;
    const near = above.map(({ id, top }) => [document.getElementById(id), top]).find(([it]) => it && isShown(it));
    const [element, was] = control && isShown(control) ? [control, before] : (near ?? []);
    // Who is at the top stays there.
    scrollTo({ top: element && y > 0 ? scrollY + top(element) - was : y, behavior: "instant" });
  };
  const restore = () => {
    let kept = null;
    try {
      kept = JSON.parse(sessionStorage.getItem(KEPT));
      sessionStorage.removeItem(KEPT);
    } catch { /* then nothing was kept */ }
    if (kept?.page !== location.pathname) return;
    for (const [region, left] of kept.sideways) {
      const found = find(region);
      if (found) found.scrollLeft = left;
    }
    if (kept.focus) find(kept.focus)?.focus({ preventScroll: true });
    scroll(kept);
    // Pictures beside the page come later than its script, unless the reader has gone on by then.
    let isGone = false;
    for (const kind of ["wheel", "touchstart", "keydown", "pointerdown"]) {
      addEventListener(kind, () => { isGone = true; }, { once: true, passive: true });
    }
    addEventListener("load", () => {
      if (!isGone) scroll(kept);
      // Told so at once, the browser would still go to where the page was before.
      setTimeout(() => { history.scrollRestoration = "auto"; }, 500);
    }, { once: true });
  };
  return { keep, restore };
})();
place.restore();
