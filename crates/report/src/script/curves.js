// Learning curves by another axis: drawn anew from the numbers that each figure carries.
{
  // As the page draws them: four units to a pixel.
  const [WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM] = [1520, 944, 200, 32, 1480, 792];
  const section = document.getElementById("curves");
  const cells = new Map(
    [...(section?.querySelectorAll(".legend [data-cell]") ?? [])].map((item) => [item.dataset.cell, item.dataset]),
  );
  const figures = [...(section?.querySelectorAll("figure.panel") ?? [])].filter((it) => it.querySelector("template.csv"));

  const read = (template) =>
    template.content.textContent.split("\n").filter(Boolean).map((line) => {
      const [, cell, rest] = line.match(/^"((?:[^"]|"")*)",(.*)$/) ?? [];
      return cell === undefined ? null : { cell: cell.replaceAll('""', '"'), values: rest.split(",").map(Number) };
    }).filter(Boolean);

  const space = figures[0]?.querySelector("svg").namespaceURI;
  const make = (name, attributes, text) => {
    const element = document.createElementNS(space, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // Round numbers: 1, 2 or 5 times a power of ten; on a logarithmic axis those between its ends.
  const linear = (low, high) => {
    const rough = (high - low) / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((it) => it * power).find((it) => it >= rough);
    const ticks = [];
    for (let at = Math.ceil(low / step - 1e-9); at * step <= high * (1 + 1e-9); at += 1) ticks.push(at * step);
    return ticks;
  };
  const logarithmic = (low, high) => {
    const all = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
      for (const digit of [1, 2, 5]) all.push(digit * 10 ** power);
    }
    const inside = all.filter((it) => it >= low * (1 - 1e-9) && it <= high * (1 + 1e-9));
    const tens = inside.filter((it) => Math.abs(Math.log10(it) % 1) < 1e-9);
    return inside.length > 7 && tens.length > 2 ? tens : inside;
  };
  const written = (value) => {
    const size = Math.abs(value);
    const said = size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(0) : String(Number(value.toPrecision(3)));
    return said.replace("-", "\u2212");
  };

  const smoothed = (points, window) =>
    points.map((point, at) => {
      const near = points.slice(Math.max(0, at - (window >> 1)), at + (window >> 1) + 1);
      return { ...point, mean: near.reduce((sum, it) => sum + it.mean, 0) / near.length };
    });

  const draw = (figure, { x, y, smooth }) => {
    const plot = figure.querySelector("svg.plot");
    plot.querySelector(".redrawn")?.remove();
    figure.querySelector(".note.axis")?.remove();
    const own = x === "step" && y === "linear" && smooth === 1;
    plot.classList.toggle("replaced", !own);
    if (own) return;
    const complain = (words) => {
      const note = document.createElement("p");
      note.className = "note axis";
      note.textContent = words;
      plot.after(note);
    };
    const pace = (cell) => (x === "step" ? 1 : Number(cells.get(cell)?.[x]));
    let points = read(figure.querySelector("template.csv"))
      .map(({ cell, values: [step, mean, low, high] }) => ({ cell, at: step * pace(cell), mean, low, high }));
    let ends = read(figure.querySelector("template.ends"))
      .map(({ cell, values: [step, value] }) => ({ cell, at: step * pace(cell), value }));
    const all = points.length;
    points = points.filter((it) => Number.isFinite(it.at) && (y === "linear" || it.low > 0));
    ends = ends.filter((it) => Number.isFinite(it.at) && (y === "linear" || it.value > 0));
    if (points.length < 2) {
      plot.classList.remove("replaced");
      return complain(y === "log" ? "By step, linear: there are no positive values." : "By step: nothing else is recorded.");
    }
    if (points.length < all) complain(`${all - points.length} of ${all} points have no place on these axes.`);
    const [low, high] = [Math.min(...points.map((it) => it.low)), Math.max(...points.map((it) => it.high))];
    const last = Math.max(...points.map((it) => it.at));
    const room = (high - low || Math.abs(high) || 1) * 0.05;
    const [bottom, top] = y === "log" ? [low / 1.05, high * 1.05] : [low - room, high + room];
    const level = y === "log" ? Math.log : (it) => it;
    const px = (at) => LEFT + ((RIGHT - LEFT) * at) / (last * 1.02);
    const py = (value) => BOTTOM - ((BOTTOM - TOP) * (level(value) - level(bottom))) / (level(top) - level(bottom));
    const place = (at, value) => `${px(at).toFixed(1)},${py(value).toFixed(1)}`;

    const group = make("g", { class: "redrawn" });
    const label = { "font-size": 46, class: "ink fill" };
    for (const tick of (y === "log" ? logarithmic : linear)(bottom, top)) {
      group.append(
        make("line", { class: "grid", "stroke-width": 4, x1: LEFT, x2: RIGHT, y1: py(tick), y2: py(tick) }),
        make("text", { ...label, x: LEFT - 24, y: py(tick), dy: "0.35em", "text-anchor": "end" }, written(tick)),
      );
    }
    for (const tick of linear(0, last)) {
      group.append(
        make("line", { class: "ink", "stroke-width": 4, x1: px(tick), x2: px(tick), y1: BOTTOM, y2: BOTTOM + 16 }),
        make("text", { ...label, x: px(tick), y: BOTTOM + 62, "text-anchor": "middle" }, written(tick)),
      );
    }
    const axis = { step: "step", epoch: "epoch", images: "images of a domain", minutes: "minutes of training, at the mean pace" };
    group.append(
      make("polyline", { class: "ink", fill: "none", "stroke-width": 4, points: `${LEFT},${TOP} ${LEFT},${BOTTOM} ${RIGHT},${BOTTOM}` }),
      make("text", { ...label, x: (LEFT + RIGHT) / 2, y: HEIGHT - 14, "text-anchor": "middle" }, axis[x]),
    );
    const lines = [];
    for (const [cell, { ink }] of cells) {
      const own = points.filter((it) => it.cell === cell);
      if (own.length === 0) continue;
      const band = [...own.map((it) => place(it.at, it.high)), ...own.toReversed().map((it) => place(it.at, it.low))];
      group.append(make("polygon", { class: `trace s${ink} fill`, opacity: 0.12, points: band.join(" ") }));
      const line = (of, attributes) =>
        make("polyline", { fill: "none", points: of.map((it) => place(it.at, it.mean)).join(" "), ...attributes });
      if (smooth > 1) group.append(line(own, { class: `trace s${ink}`, opacity: 0.45, "stroke-width": 3 }));
      lines.push(line(smoothed(own, smooth), { class: `series s${ink}`, "stroke-width": 7 }));
      for (const { at, value } of ends.filter((it) => it.cell === cell)) {
        const [a, b] = [px(at), py(Math.min(Math.max(value, bottom), top))];
        lines.push(make("path", { class: `trace s${ink}`, fill: "none", "stroke-width": 6, d: `M${a - 16} ${b - 16}l32 32m0-32l-32 32` }));
      }
    }
    group.append(...lines);
    plot.append(group);
  };

  const select = (name, words, options) => {
    const label = document.createElement("label");
    const menu = document.createElement("select");
    for (const [value, said] of options) menu.append(new Option(said, value));
    const before = chosen.get(name);
    if (options.some(([value]) => value === before)) menu.value = before;
    menu.addEventListener("change", () => {
      chosen.set(name, menu.selectedIndex === 0 ? "" : menu.value);
      drawAll();
    });
    label.append(`${words} `, menu);
    return [label, menu];
  };
  const units = [["epoch", "epochs"], ["images", "images"], ["minutes", "training time"]];
  const known = units.filter(([unit]) => [...cells.values()].some((it) => it[unit]));
  const [xLabel, x] = select("x", "By", [["step", "steps"], ...known]);
  const [yLabel, y] = select("y", "on a", [["linear", "linear scale"], ["log", "logarithmic scale"]]);
  const [smoothLabel, smooth] = select("smooth", "means", [["1", "as they are"], ["5", "over 5 points"], ["15", "over 15 points"]]);
  const status = document.createElement("span");
  status.className = "quiet";
  status.setAttribute("role", "status");
  const drawAll = () => {
    const choice = { x: x.value, y: y.value, smooth: Number(smooth.value) };
    for (const figure of figures) draw(figure, choice);
    const own = choice.x === "step" && choice.y === "linear" && choice.smooth === 1;
    status.textContent = own ? "" : "Means and ranges alone; single seeds are drawn by steps, on a linear scale.";
  };
  if (figures.length > 0) {
    const controls = document.createElement("div");
    controls.className = "controls";
    controls.append(xLabel, yLabel, smoothLabel, status);
    section.querySelector(".legend").before(controls);
    drawAll();
  }
}
