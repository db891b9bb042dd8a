// A link to a run opens its part, and from there one leads to its pictures in the grid.
{
  const reveal = (address) => {
    const target = document.getElementById(address.slice(1));
    if (!target?.matches("#runs details")) return;
    for (let it = target; it; it = it.parentElement.closest("details")) it.open = true;
    target.scrollIntoView();
    // A keyboard goes on from here.
    target.querySelector("summary").focus({ preventScroll: true });
    // What was opened before it stays in the address, which the link has taken for itself.
    chosen.keep();
  };
  addEventListener("hashchange", () => reveal(location.hash));
  document.addEventListener("click", ({ target }) => {
    // An address that is there already does not change.
    const link = target.closest?.('a[href^="#"]');
    if (link) setTimeout(() => reveal(link.getAttribute("href")));
  });
  // Comes after opened.js: what is opened here is a reader's choice, and the address tells of it from now
  // on. A page that is loaded again so takes no focus, and opens nothing that has been shut.
  reveal(location.hash);

  const choose = (id, value) => {
    const control = document.getElementById(id);
    if (!control || control.value === String(value)) return;
    control.value = value;
    control.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const shown = new Set(samples?.data.runs.map((run) => `${run.seed} ${samples.data.columns[run.column]}`));
  const isInGrid = ({ column, seed }) => shown.has(`${seed} ${column}`);
  // At once: of a part within a closed one no event tells that it is opened.
  for (const link of document.querySelectorAll(".to-samples")) {
    if (!isInGrid(link.dataset)) link.nextElementSibling.textContent = "(this page's grid leaves the run out)";
  }
  document.addEventListener("click", ({ target }) => {
    const link = target.closest?.(".to-samples");
    if (!link || !isInGrid(link.dataset)) return;
    choose("sample-seed", link.dataset.seed);
    const steps = samples.data.steps;
    const step = steps.findLastIndex((it) => it <= Number(link.dataset.step));
    if (step >= 0) choose("sample-step", step);
  });
}
