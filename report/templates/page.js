"use strict";
if (innerWidth > 800) document.querySelector("nav details").open = true;
const data = JSON.parse(document.getElementById("data").textContent);

// Charts: drawn again when the system changes between light and dark.
const dark = matchMedia("(prefers-color-scheme: dark)");
function chartConfig() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const text = { labelColor: colour("--text"), titleColor: colour("--text"), labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" };
  const narrow = innerWidth < 600;
  return {
    background: null, aria: false, font: "system-ui, sans-serif", view: { stroke: null },
    axis: { ...text, labelLimit: narrow ? 120 : 220, gridColor: colour("--line"), domainColor: colour("--soft"), tickColor: colour("--soft") },
    legend: { ...text, orient: "top", columns: narrow ? 1 : 4, symbolType: "square" },
  };
}
function drawCharts() {
  for (const place of document.querySelectorAll("[data-spec]")) {
    const spec = { $schema: "https://vega.github.io/schema/vega-lite/v6.json", ...data.specs[place.dataset.spec] };
    vegaEmbed(place, spec, { actions: false, renderer: "svg", config: chartConfig(), tooltip: { theme: dark.matches ? "dark" : "light" } });
  }
}
if (data.specs.length) {
  drawCharts();
  dark.addEventListener("change", drawCharts);
}

// Clips: a strip holds all frames side by side; the window before it moves.
function addStrip(figure, id) {
  const source = data.strips[id];
  if (!source) return;
  const image = new Image();
  image.onload = () => {
    const strip = document.createElement("div"), height = (image.naturalHeight / image.naturalWidth) * data.frames * data.side;
    const width = data.frames * data.side;
    strip.className = "strip";
    strip.setAttribute("role", "img");
    strip.setAttribute("aria-label", `Clip ${id}: ${data.frames} frames, ${height > data.side ? "picture above, skeleton below" : "skeleton"}`);
    strip.style.cssText = `--frames:${data.frames};--width:${width}px;width:${data.side}px;height:${height}px;background-size:${width}px ${height}px`;
    strip.style.backgroundImage = `url(${source})`;
    figure.append(strip);
  };
  image.src = source;
}
for (const figure of document.querySelectorAll("[data-clip]")) addStrip(figure, figure.dataset.clip);
if (matchMedia("(prefers-reduced-motion: reduce)").matches) document.body.classList.add("still");
function motionButton() {
  const button = document.createElement("button");
  const name = () => { button.textContent = document.body.classList.contains("still") ? "Play clips" : "Show all frames"; };
  button.type = "button";
  button.className = "motion";
  button.onclick = () => { document.body.classList.toggle("still"); document.querySelectorAll(".motion").forEach((other) => other.rename()); };
  button.rename = name;
  name();
  return button;
}
for (const strips of document.querySelectorAll(".strips")) if (Object.keys(data.strips).length) strips.before(motionButton());

// The confusion matrix: a cell opens its clips; arrow keys move, one cell is in the tab order.
const dialog = document.getElementById("clips_dialog"), body = document.getElementById("clips_body");
function openCell(button) {
  document.getElementById("clips_title").textContent = button.dataset.title;
  body.replaceChildren();
  const clips = data.cells[button.dataset.cell];
  const seen = clips.filter(([id]) => data.strips[id]), others = clips.filter(([id]) => !data.strips[id]);
  if (seen.length) body.append(motionButton());
  const strips = document.createElement("div");
  strips.className = "strips";
  for (const [id, answer, label] of seen) {
    const figure = document.createElement("figure"), caption = document.createElement("figcaption");
    figure.className = "clip";
    caption.textContent = `${id}: answer ${answer.toFixed(2)}, label ${label.toFixed(2)}`;
    figure.append(caption);
    strips.append(figure);
    addStrip(figure, id);
  }
  body.append(strips);
  if (others.length) {
    const list = document.createElement("p");
    list.textContent = `${seen.length ? "Also" : "Clips"}, the surest mistake first: ${others.map(([id]) => id).join(", ")}.`;
    body.append(list);
  }
  dialog.showModal();
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-cell]");
  if (button) openCell(button);
});
for (const table of document.querySelectorAll(".confusion")) {
  const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].slice(1).map((cell) => cell.querySelector("button")));
  const first = table.querySelector("button");
  if (first) first.tabIndex = 0;
  table.addEventListener("keydown", (event) => {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    const from = event.target.closest("td button");
    if (!step || !from) return;
    event.preventDefault();
    let i = from.closest("tr").sectionRowIndex, j = from.closest("td").cellIndex - 1, next;
    do { i += step[0]; j += step[1]; next = rows[i]?.[j]; } while (next === null);
    if (!next) return;
    from.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}
