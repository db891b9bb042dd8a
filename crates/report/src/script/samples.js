// The fixed inputs through every cell: at the seed, the step and of the kind that a reader chooses.
const samples = (() => {
  const block = document.getElementById("sample-data");
  if (!block) return null;
  const section = document.getElementById("samples");
  const data = JSON.parse(block.textContent);
  // Pictures that the page shows by itself are in it once, where they are shown.
  for (const img of section.querySelectorAll("img[data-picture]")) data.pictures[img.dataset.picture].address ??= img.src;
  const runs = new Map(data.runs.map((run) => [`${run.column} ${run.seed}`, run]));
  const last = data.steps.at(-1);

  const state = {
    seed: data.seeds.includes(chosen.get("seed")) ? chosen.get("seed") : data.seeds[0],
    step: data.steps.findLast((step) => step <= Number(chosen.get("step") ?? NaN)) ?? last,
    show: data.made.includes(chosen.get("show")) ? chosen.get("show") : "both",
  };
  const kinds = () => (state.show === "both" ? ["fake", "rec"] : [state.show]);

  // The newest picture of a run that is not after the chosen step: no run is shown ahead of the others.
  const newest = (run) => run.saved.findLast((step) => step <= state.step);

  // What is named by "real", "truth" or "fake:3" (the translation by column 3): a picture, or why there is none.
  const look = (name, input) => {
    const { domain, id, [name]: alt } = data.inputs[input];
    const at = (place, said) => {
      if (place === null || place === undefined) return { alt: said, reason: "not saved" };
      return place < 0 ? { alt: said, reason: "unreadable" } : { alt: said, picture: data.pictures[place] };
    };
    if (name in data.given) return data.given[name][input] === null ? { alt, reason: "—" } : at(data.given[name][input], alt);
    const [kind, column] = name.split(":");
    const run = runs.get(`${column} ${state.seed}`);
    const step = run && newest(run);
    const when = step === undefined ? "" : `, step ${step}`;
    const said = `${data.words[domain][kind] ?? kind} of ${id}, ${data.columns[column]}, seed ${state.seed}${when}`;
    if (!run) return { alt: said, reason: "not planned" };
    if (!run.saved.length) return { alt: said, reason: run.state };
    if (step === undefined) return { alt: said, reason: "none by then" };
    const saved = run.samples[step];
    return saved ? at(saved[kind]?.[input], said) : { alt: said, reason: "left out" };
  };

  const made = (name, input) => {
    const { alt, picture, reason } = look(name, input);
    const kind = name.split(":")[0];
    if (!picture) {
      const hole = document.createElement("span");
      hole.className = `hole ${kind}`;
      hole.textContent = reason;
      return hole;
    }
    const button = document.createElement("button");
    button.type = "button";
    button.className = "picture";
    button.tabIndex = -1;
    Object.assign(button.dataset, { name, input });
    const img = document.createElement("img");
    img.decoding = "sync";
    [img.width, img.height] = picture.shown;
    if (picture.sharp) img.className = "sharp";
    img.alt = alt;
    img.src = picture.address;
    button.append(img);
    return button;
  };

  // What sets a run apart from those that were completed and have a picture of that step.
  const when = (column) => {
    const run = runs.get(`${column} ${state.seed}`);
    if (!run) return "";
    const step = newest(run);
    const said = run.state === "completed" ? [] : [run.state];
    if (said.length || step !== state.step) said.push(step === undefined ? "no sample" : `step ${step}`);
    return said.join(", ");
  };

  // Tab reaches one picture of a table, and arrow keys the others.
  const held = new WeakMap();
  const hold = (button) => {
    const table = button.closest("table");
    for (const other of table.querySelectorAll('.picture[tabindex="0"]')) other.tabIndex = -1;
    button.tabIndex = 0;
    held.set(table, button.dataset);
  };
  // A column is named by its cell: a live page gains columns.
  const spelt = (name) => {
    const [kind, column] = name.split(":");
    return column === undefined ? name : `${kind}:${data.columns[column].replace(/\s+/g, "_")}`;
  };
  const find = (name, input) => section.querySelector(`.picture[data-name="${name}"][data-input="${input}"]`);

  const controls = document.getElementById("sample-controls");
  const show = () => {
    for (const row of section.querySelectorAll("tr[data-input]")) {
      const input = Number(row.dataset.input);
      for (const place of row.querySelectorAll("[data-given]")) place.replaceChildren(made(place.dataset.given, input));
      for (const place of row.querySelectorAll("[data-column]")) {
        place.replaceChildren(...kinds().map((kind) => made(`${kind}:${place.dataset.column}`, input)));
      }
    }
    const [kind] = controls.querySelector(`[value="${state.show}"]`).labels;
    section.querySelector("[role=status]").textContent = `Shown: seed ${state.seed}, step ${state.step}, ${kind.textContent.trim()}.`;
    for (const place of section.querySelectorAll(".when")) place.textContent = when(place.dataset.column);
    for (const table of section.querySelectorAll("table.samples")) {
      const { name, input } = held.get(table) ?? {};
      const first = (name && find(name, input)) ?? table.querySelector(".picture");
      if (first) hold(first);
    }
  };

  const slider = document.getElementById("sample-step");
  const toStep = (at) => {
    state.step = data.steps[at];
    slider.value = at;
    slider.setAttribute("aria-valuetext", state.step);
    section.querySelector("output").value = state.step;
  };
  const chooseStep = (at) => {
    toStep(at);
    chosen.set("step", state.step === last ? "" : String(state.step));
  };

  const ways = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  // The picture beside one in a table, past places that have none.
  const beside = (button, [down, right]) => {
    const [table, lines] = [button.closest("table"), kinds().length];
    const at = (line, column) => {
      const cell = table.tBodies[0].rows[Math.floor(line / lines)]?.cells[column];
      const places = cell?.querySelectorAll(".picture, .hole");
      return cell && (places[Math.min(line % lines, places.length - 1)] ?? null);
    };
    const cell = button.closest("th, td");
    let column = cell.cellIndex;
    let line = cell.parentElement.sectionRowIndex * lines + [...cell.querySelectorAll(".picture, .hole")].indexOf(button);
    for (;;) {
      [line, column] = [line + down, column + right];
      const found = at(line, column);
      if (found === undefined || column < 0) return null;
      if (found !== button && found?.matches(".picture")) return found;
    }
  };

  controls.hidden = false;
  section.querySelector(".keys").hidden = false;
  controls.addEventListener("input", ({ target }) => {
    if (target === slider) chooseStep(Number(target.value));
    else if (target.name === "show") chosen.set("show", (state.show = target.value) === "both" ? "" : state.show);
    else chosen.set("seed", (state.seed = target.value) === data.seeds[0] ? "" : state.seed);
    show();
  });
  section.addEventListener("focusin", ({ target }) => target.matches("button.picture") && hold(target));
  section.addEventListener("keydown", (event) => {
    const way = ways[event.key];
    if (!way || !event.target.matches("button.picture") || event.ctrlKey || event.altKey || event.metaKey) return;
    // Else the page scrolls under the one who walks.
    event.preventDefault();
    beside(event.target, way)?.focus();
  });

  if (slider) toStep(data.steps.indexOf(state.step));
  const menu = document.getElementById("sample-seed");
  if (menu) menu.value = state.seed;
  controls.querySelector(`[value="${state.show}"]`).checked = true;
  show();
  return {
    data,
    look,
    find,
    spelt,
    by: (count) => {
      const at = data.steps.indexOf(state.step) + count;
      if (!slider || !(at in data.steps)) return;
      chooseStep(at);
      show();
    },
  };
})();
