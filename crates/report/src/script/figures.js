// Every figure can be taken along: its numbers as CSV, its drawing as SVG.
{
  const save = (name, type, said) => {
    const link = document.createElement("a");
    const address = URL.createObjectURL(new Blob([said], { type }));
    link.href = address;
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  };

  const csv = (figure) => {
    const points = figure.querySelector("template.csv");
    if (points) return `${points.content.textContent}\n`;
    const quoted = (cell) => {
      const said = cell.textContent.trim().replaceAll("\u2212", "-");
      return `"${said.replaceAll('"', '""')}"`;
    };
    const rows = [...figure.querySelectorAll("details tr")];
    return rows.map((row) => [...row.cells].map(quoted).join(",") + "\n").join("");
  };

  // Colours and dashes are the style sheet's: outside this page the drawing has to say them itself.
  const svg = (plot) => {
    document.documentElement.classList.add("paper");
    const copy = plot.cloneNode(true);
    const [from, to] = [plot, copy].map((root) => [root, ...root.querySelectorAll("*")]);
    from.forEach((element, at) => {
      const style = getComputedStyle(element);
      for (const name of ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "paint-order"]) {
        to[at].setAttribute(name, style.getPropertyValue(name));
      }
      if (element.nodeName === "text") to[at].setAttribute("font-family", "sans-serif");
      if (style.display === "none") to[at].dataset.drawn = "no";
      to[at].removeAttribute("class");
    });
    for (const element of [...copy.querySelectorAll("*")].filter((it) => it.dataset.drawn === "no")) element.remove();
    document.documentElement.classList.remove("paper");
    const { width, height } = plot.viewBox.baseVal;
    copy.setAttribute("width", width / 4);
    copy.setAttribute("height", height / 4);
    return new XMLSerializer().serializeToString(copy);
  };

  for (const figure of document.querySelectorAll("figure.panel")) {
    const plot = figure.querySelector("svg.plot");
    if (!plot) continue;
    const title = plot.querySelector("title").textContent;
    const name = title.normalize("NFKD").replace(/[^\w]+/g, "-").replace(/^-+|-+$/g, "").toLowerCase() || "figure";
    const take = document.createElement("div");
    take.className = "take";
    const kinds = [["CSV", "text/csv", () => csv(figure)], ["SVG", "image/svg+xml", () => svg(plot)]];
    for (const [kind, type, write] of kinds) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = kind;
      button.setAttribute("aria-label", `Save ${title} as ${kind}`);
      button.addEventListener("click", () => save(`${name}.${kind.toLowerCase()}`, type, write()));
      take.append(button);
    }
    figure.append(take);
  }
}
