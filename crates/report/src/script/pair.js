// Two pictures of the grid, large: side by side, in turn at one place, or their difference.
if (samples) {
  const dialog = document.getElementById("pair");
  const stage = document.getElementById("pair-stage");
  const auto = document.getElementById("pair-auto");
  const views = [...dialog.querySelectorAll("[name=pair-view]")];
  const { data, look, spelt } = samples;
  const sides = ["a", "b"].map((name) => {
    const figure = document.getElementById(`pair-${name}`);
    return { figure, menu: figure.querySelector("select"), img: figure.querySelector("img"), hole: figure.querySelector(".hole"), said: figure.querySelector("figcaption") };
  });
  const canvas = sides[1].figure.querySelector("canvas");
  // `front`: the side that is seen where both have one place.
  const state = { input: data.rows[0], names: ["real", "real"], view: "side", front: 0 };
  let timer = 0;
  // How often the dialog was drawn: what takes longer belongs to the newest drawing, or to none.
  let drawn = 0;

  const hasTruth = (input) => data.given.truth[input] !== null;
  const inRow = (input, kind) => ["real", ...(hasTruth(input) ? ["truth"] : []), ...data.columns.map((_, column) => `${kind}:${column}`)];
  const option = (value, said) => {
    const made = document.createElement("option");
    [made.value, made.textContent] = [value, said];
    return made;
  };
  const words = { fake: "Translation", rec: "Reconstruction", idt: "Identity" };
  const fill = (menu) => {
    // A menu that is open stays under the reader's hand.
    const given = hasTruth(state.input) ? 2 : 1;
    if (menu.options.length === given + data.made.length * data.columns.length) return;
    menu.replaceChildren(option("real", "Input"), ...(hasTruth(state.input) ? [option("truth", "True translation")] : []));
    for (const kind of data.made) {
      const group = document.createElement("optgroup");
      group.label = words[kind];
      group.append(...data.columns.map((label, column) => option(`${kind}:${column}`, `${label}, ${words[kind].toLowerCase()}`)));
      menu.append(group);
    }
  };

  // As large as the window allows, small ones by a whole factor; both sides equal.
  const box = (found) => {
    const [width, height] = found.find(({ picture }) => picture)?.picture.size ?? [1, 1];
    const across = state.view === "flicker" ? 1 : 2;
    const room = [(Math.min(innerWidth, 1400) - 80) / (innerWidth < 560 ? 1 : across), innerHeight * 0.58 / (innerWidth < 560 ? across : 1)];
    const most = Math.max(Math.min(room[0] / width, room[1] / height), 0.05);
    const factor = most > 2 ? Math.floor(most) : most;
    return [Math.round(width * factor), Math.round(height * factor)];
  };

  const draw = () => {
    drawn += 1;
    const found = state.names.map((name) => look(name, state.input));
    const { domain, id } = data.inputs[state.input];
    document.getElementById("pair-title").textContent = `${id}, ${domain === "a" ? "A → B" : "B → A"}`;
    const [width, height] = box(found);
    sides.forEach(({ figure, menu, img, hole, said }, at) => {
      const { alt, picture, reason } = found[at];
      fill(menu);
      if (menu.value !== state.names[at]) menu.value = state.names[at];
      figure.classList.toggle("behind", state.view === "flicker" && at !== state.front);
      const hidden = !picture || (at === 1 && state.view === "difference");
      [img.hidden, hole.hidden] = [hidden, Boolean(picture)];
      hole.textContent = reason ?? "";
      said.textContent = alt;
      if (!picture) return;
      [img.width, img.height, img.alt] = [width, height, alt];
      img.classList.toggle("sharp", Boolean(picture.sharp));
      const source = new URL(picture.file ?? picture.address, document.baseURI).href;
      if (img.src !== source) img.src = source;
    });
    dialog.dataset.view = state.view;
    for (const radio of views) radio.checked = radio.value === state.view;
    auto.hidden = state.view !== "flicker";
    auto.setAttribute("aria-pressed", String(Boolean(timer)));
    canvas.hidden = true;
    if (state.view === "difference") differ(found, width, height);
    if (dialog.open) chosen.set("pair", [state.input, ...state.names.map(spelt), state.view].join(" "));
  };
  // A page that was moved without its pictures still has their thumbnails.
  sides.forEach(({ img, said }, at) => img.addEventListener("error", () => {
    const { picture, alt } = look(state.names[at], state.input);
    if (!picture?.file || img.src === picture.address) return;
    img.src = picture.address;
    said.textContent = `${alt} (reduced: ${picture.file} is not beside this page)`;
  }));

  // Of what the page holds: a script may not look into files beside it.
  const differ = async (found, width, height) => {
    const said = sides[1].said;
    if (found.some(({ picture }) => !picture)) return;
    const own = drawn;
    const images = found.map(({ picture }) => Object.assign(new Image(), { src: picture.address }));
    await Promise.all(images.map((image) => image.decode()));
    if (own !== drawn) return;
    const [w, h] = [images[0].naturalWidth, images[0].naturalHeight];
    [canvas.width, canvas.height] = [w, h];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const [a, b] = images.map((image) => {
      context.drawImage(image, 0, 0, w, h);
      return context.getImageData(0, 0, w, h);
    });
    let sum = 0;
    for (let at = 0; at < a.data.length; at += 4) {
      const off = [0, 1, 2].reduce((all, c) => all + Math.abs(a.data[at + c] - b.data[at + c]), 0) / 765;
      sum += off;
      // Lighter and lighter, so that it reads without colours: black, red, yellow, white.
      const heat = Math.min(off * 2, 1) * 3;
      [0, 1, 2].forEach((c) => { a.data[at + c] = 255 * Math.min(Math.max(heat - c, 0), 1); });
    }
    context.putImageData(a, 0, 0);
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    canvas.hidden = false;
    const mean = (sum / (a.data.length / 4)).toFixed(3);
    canvas.setAttribute("aria-label", `Difference to ${found[0].alt}`);
    const of = found.some(({ picture }) => picture.file) ? " of the reduced pictures" : "";
    said.textContent = `|A − B|${of}, mean ${mean} of the range (0 to 1). B: ${found[1].alt}`;
  };

  const stop = () => {
    clearInterval(timer);
    timer = 0;
  };
  const swap = () => {
    state.front = 1 - state.front;
    draw();
  };
  const flickerByItself = () => {
    stop();
    timer = setInterval(swap, 1000);
  };
  const view = (name) => {
    stop();
    [state.view, state.front] = [name, 0];
    if (name === "flicker" && !matchMedia("(prefers-reduced-motion: reduce)").matches) flickerByItself();
    draw();
  };
  // By hand: a reader who swaps wants it to stay. Side by side the pictures change places.
  const swapByHand = () => {
    stop();
    if (state.view !== "flicker") state.names.reverse();
    else state.front = 1 - state.front;
    draw();
  };
  const open = (how) => {
    dialog.showModal();
    stage.focus();
    view(how);
  };

  const toColumn = (by) => {
    const [kind] = state.names.map((name) => name.split(":")).find(([, column]) => column !== undefined) ?? ["fake"];
    const row = inRow(state.input, state.names[0].includes(":") ? state.names[0].split(":")[0] : kind);
    state.names[0] = row[row.indexOf(state.names[0]) + by] ?? state.names[0];
    draw();
  };
  const toInput = (by) => {
    state.input = data.rows[data.rows.indexOf(state.input) + by] ?? state.input;
    if (!hasTruth(state.input)) state.names = state.names.map((name) => (name === "truth" ? "real" : name));
    draw();
  };
  const toStep = (by) => {
    samples.by(by);
    draw();
  };
  const keys = {
    ArrowLeft: () => toColumn(-1), ArrowRight: () => toColumn(1), ArrowUp: () => toInput(-1), ArrowDown: () => toInput(1),
    ",": () => toStep(-1), ".": () => toStep(1), f: swapByHand, " ": swapByHand,
  };
  dialog.addEventListener("keydown", (event) => {
    // Menus and buttons have keys of their own.
    const taken = event.target.matches("select") || (event.target.matches("input") && event.key.startsWith("Arrow")) || (event.target.matches("button, input") && event.key === " ");
    if (!keys[event.key] || taken || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  document.getElementById("samples").addEventListener("click", ({ target }) => {
    const button = target.closest("button.picture");
    if (!button) return;
    const { name, input } = button.dataset;
    const [kind, column] = name.split(":");
    state.input = Number(input);
    // Beside the baseline's; the baseline's own beside the truth, or the input.
    const other = column > 0 ? `${kind}:0` : column !== undefined && hasTruth(input) && kind === "fake" ? "truth" : "real";
    state.names = [name, name === "real" ? `${data.made[0]}:0` : other];
    open(state.view);
  });
  sides.forEach(({ menu }, at) => menu.addEventListener("change", () => {
    state.names[at] = menu.value;
    draw();
  }));
  for (const radio of views) radio.addEventListener("change", () => view(radio.value));
  auto.addEventListener("click", () => {
    if (timer) stop();
    else flickerByItself();
    draw();
  });
  document.getElementById("pair-swap").addEventListener("click", swapByHand);
  document.getElementById("pair-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    // It is told late: by now the next pair may be open.
    if (dialog.open) return;
    stop();
    chosen.set("pair", "");
    // Where the reader has come to: the first one may be gone with another step.
    samples.find(state.names[0], state.input)?.focus();
  });
  addEventListener("resize", () => dialog.open && draw());

  const [input, ...kept] = (chosen.get("pair") ?? "").split(" ");
  const row = data.rows.includes(Number(input)) && input !== "" && data.made.flatMap((kind) => inRow(Number(input), kind));
  const names = row && kept.slice(0, 2).map((said) => row.find((name) => spelt(name) === said));
  if (row && names.every(Boolean) && views.some((it) => it.value === kept[2])) {
    [state.input, state.names] = [Number(input), names];
    open(kept[2]);
  }
}
