// The page: state in its address, controls that change it, and drawings that follow. Numbers come from statistics.js.
"use strict";

const SHOWN_LINES = 250, GROUPS = 5, FEW_GROUPS = 3, GREY = "#c8c8c8", ADDRESS_WAIT = 250;  // milliseconds; browsers refuse an address that changes too often

function fresh() {
  const two = data.parameters.slice(0, 2).map((p) => p.name);
  Object.assign(state, { lang: data.language, outcome: data.outcomes[0].name, area: data.areas.length ? data.areas[0].name : "",
    shown: data.configurations.map((c) => c.name), ranges: {}, x: two[0], y: two[1] || two[0],
    sx: two[0], sy: data.outcomes[0].name, plan: data.hourly ? data.hourly.focus : data.configurations[data.plans[data.plans.length - 1]].name,
    draw: data.hourly && data.hourly.named.length ? data.hourly.named[0].draw : "", in: "", day: "" });
}

function fromAddress() {
  fresh();
  const told = new URLSearchParams(location.hash.slice(1)), known = (list, name) => list.some((each) => each.name === name);
  if (["ja", "en"].includes(told.get("lang"))) state.lang = told.get("lang");
  if (known(outcomes(), told.get("outcome"))) state.outcome = told.get("outcome");
  if (known(data.areas, told.get("area"))) state.area = told.get("area");
  if (told.get("show")) state.shown = told.get("show").split(",").filter((name) => known(data.configurations, name));
  for (const axis of ["x", "y"]) if (known(data.parameters, told.get(axis))) state[axis] = told.get(axis);
  for (const axis of ["sx", "sy"]) if (known(scatterChoices(), told.get(axis))) state[axis] = told.get(axis);
  if (known(data.configurations, told.get("plan"))) state.plan = told.get("plan");
  const drawn = told.get("draw") || "";
  if (namedDraw(drawn) || (/^\d+$/.test(drawn) && Number(drawn) < data.n)) state.draw = drawn;
  if (data.hourly && told.get("in") in data.hourly.areas) state.in = told.get("in");
  if (/^\d+$/.test(told.get("day") || "")) state.day = told.get("day");
  for (const p of data.parameters) {
    const ends = (told.get(`r.${p.name}`) || "").split("~").map(Number);
    if (ends.length === 2 && ends.every(Number.isFinite)) state.ranges[p.name] = ends;
  }
}

function toAddress() {
  const told = new URLSearchParams({ lang: state.lang, outcome: state.outcome, x: state.x, y: state.y, sx: state.sx, sy: state.sy, plan: state.plan });
  if (outcomeOf().area) told.set("area", state.area);
  if (state.shown.length < data.configurations.length) told.set("show", state.shown.join(","));
  for (const [name, ends] of Object.entries(state.ranges)) told.set(`r.${name}`, ends.join("~"));
  for (const key of ["draw", "in", "day"]) if (state[key] !== "") told.set(key, state[key]);
  history.replaceState(null, "", `#${told}`);
}

function options(id, list, chosen) {
  byId(id).replaceChildren(...list.map((each) => new Option(each.label[language], each.name, false, each.name === chosen)));
}

function controls() {  // builds everything in the language of the state
  language = state.lang === "ja" ? 1 : 0;
  document.documentElement.lang = state.lang;
  for (const each of document.querySelectorAll("[data-say]")) each.textContent = say(each.dataset.say);
  byId("language").textContent = language ? "English" : "日本語";
  options("outcome", outcomes(), state.outcome);
  options("area", data.areas, state.area);
  options("map-x", data.parameters, state.x);
  options("map-y", data.parameters, state.y);
  options("scatter-x", scatterChoices(), state.sx);
  options("scatter-y", scatterChoices(), state.sy);
  options("plan", data.configurations.map((told, c) => ({ name: told.name, label: [nameOf(c), nameOf(c)] })), state.plan);
  options("named", [{ name: "", label: ["–", "–"] }, ...(data.hourly ? data.hourly.named : []).map((each) => ({ name: each.draw, label: [drawName(each.draw), drawName(each.draw)] }))], state.draw);
  byId("named-label").hidden = !data.hourly || !data.hourly.named.length;
  byId("configurations").replaceChildren(...data.configurations.map((told, c) => {
    const label = document.createElement("label"), box = document.createElement("input");
    box.type = "checkbox"; box.checked = state.shown.includes(told.name); box.dataset.name = told.name;
    box.onchange = () => {
      state.shown = data.configurations.map((each) => each.name).filter((name) => (name === told.name ? box.checked : state.shown.includes(name)));
      follow();
    };
    label.append(box, key(c), nameOf(c));
    return label;
  }));
  byId("ranges").replaceChildren(...data.parameters.map(slider));
}

function key(c) {
  const line = document.createElement("span");
  line.className = "key"; line.style.borderColor = data.colours[c];
  line.style.borderTopStyle = { solid: "solid", dashed: "dashed", dotdash: "dotted" }[data.dashes[c]];
  return line;
}

function slider(p) {
  const row = document.createElement("div"), steps = p.few.length ? p.few.length - 1 : 200;
  row.className = "range"; row.dataset.name = p.name;
  // the ends themselves, not what rounding makes of them: else the outermost draws would be lost
  const value = (at) => (p.few.length ? p.few[at] : at <= 0 ? p.low : at >= steps ? p.high : p.low + ((p.high - p.low) * at) / steps);
  const place = (v) => (p.few.length ? Math.max(0, p.few.findIndex((each) => each >= v)) : Math.round(((v - p.low) / (p.high - p.low)) * steps));
  const name = document.createElement("span"), told = document.createElement("output"), whole = [p.low, p.high];
  name.className = "name"; name.textContent = p.label[language];
  const inputs = [0, 1].map((end) => {
    const input = document.createElement("input");
    Object.assign(input, { type: "range", min: 0, max: steps, step: 1, value: place((state.ranges[p.name] || whole)[end]) });
    input.setAttribute("aria-label", `${p.label[language]} ${end ? "≤" : "≥"}`);
    input.oninput = () => {
      let [low, high] = inputs.map((each) => Number(each.value));
      if (low > high) { if (end) high = inputs[1].value = low; else low = inputs[0].value = high; }
      if (low === 0 && high === steps) delete state.ranges[p.name];
      else state.ranges[p.name] = [value(low), value(high)];
      write(); follow();
    };
    return input;
  });
  const text = (v) => (p.texts.length ? p.texts[v] : short(v));
  const write = () => {
    const [low, high] = state.ranges[p.name] || whole;
    told.textContent = `${text(low)} – ${text(high)} ${p.unit[language]}`;
    row.classList.toggle("active", p.name in state.ranges);
  };
  write();
  row.append(name, told, document.createElement("br"), ...inputs);
  return row;
}

let pending = 0, addressed = 0, lastDraw = "";

function follow() {  // at the next frame, however often it is asked for before
  if (!pending) pending = requestAnimationFrame(now);
}

function settle() {  // at once, for whoever wants to read what came of it
  if (pending) now();
  if (addressed) { clearTimeout(addressed); addressed = 0; toAddress(); }
}

function now() {  // computes anew and draws
  cancelAnimationFrame(pending); pending = 0;
  const begun = performance.now(), outcome = outcomeOf(), scale = money(outcome);
  const area = data.areas.findIndex((each) => each.name === state.area);
  byId("area-label").hidden = !outcome.area;
  const { keep, places } = selected(data, state.ranges), best = cheapest(data, places);
  const regret = data.outcomes.find((o) => o.name === "regret_total");
  const rows = [], curves = { xs: [], ys: [], color: [], dash: [] };
  data.configurations.forEach((told, c) => {
    if (!state.shown.includes(told.name)) return;
    const ordered = sorted(data, outcome, c, area, keep, places.length), numbers = described(ordered);
    const lost = regret ? meanAndMost(data, regret, c, places) : { mean: NaN, most: NaN };
    rows.push({ c, name: told.name, numbers, best: best.shares[c], lost });
    const points = Math.min(200, ordered.length), at = (k) => Math.round((k * (ordered.length - 1)) / Math.max(1, points - 1));
    curves.xs.push(Array.from({ length: points }, (_, k) => ordered[at(k)] * scale));
    curves.ys.push(Array.from({ length: points }, (_, k) => (at(k) + 1) / ordered.length));
    curves.color.push(data.colours[c]); curves.dash.push(data.dashes[c]);
  });
  last = { keep, places, rows, outcome: outcome.name, judged: best.judged, hours: last.hours };
  byId("selected").textContent = language ? `${data.n.toLocaleString()}通りのうち${places.length.toLocaleString()}通りを選択`
    : `${places.length.toLocaleString()} of ${data.n.toLocaleString()} draws selected`;
  byId("table-title").textContent = outcome.label[language] + unit(outcome) + (outcome.area ? `, ${data.areas[area].label[language]}` : "");
  table(rows, scale);
  models["curves-source"].data = curves;
  models.curves.below[0].axis_label = outcome.label[language] + unit(outcome);
  curvesRange(curves.xs);
  parallel(keep);
  map(places);
  scatterAxes();
  scatterPaint(keep);
  const drawNow = ["draw", "plan", "in", "day", "lang"].map((each) => state[each]).join(" ") + (dots.key || "");
  if (drawNow !== lastDraw) { lastDraw = drawNow; tellDraw(); }
  if (!addressed) addressed = setTimeout(() => { addressed = 0; toAddress(); }, ADDRESS_WAIT);
  last.milliseconds = performance.now() - begun;
}

function curvesRange(lines) {
  let low = Infinity, high = -Infinity;
  for (const xs of lines) { if (xs[0] < low) low = xs[0]; if (xs[xs.length - 1] > high) high = xs[xs.length - 1]; }
  if (!(low <= high)) return;
  const edge = (high - low) * 0.05 || 1;
  models.curves.x_range.setv({ start: low - edge, end: high + edge });
}

function tellDraw() {  // what is known of the chosen draw, and its hours
  const i = /^\d+$/.test(state.draw) ? Number(state.draw) : -1, c = placeOf(state.plan);
  byId("draw").value = i < 0 ? "" : state.draw;
  byId("named").value = namedDraw(state.draw) ? state.draw : "";
  scatterRing();
  const ys = i < 0 ? [] : [data.parameters.map((p) => (p.high > p.low ? (p.values[i] - p.low) / (p.high - p.low) : 0.5))];
  models["own-source"].data = { xs: ys.map((each) => each.map((_, k) => k)), ys };
  byId("draw-told").textContent = i < 0 ? (state.draw === "base" ? drawName("base") : "") : `${drawName(state.draw)}${language ? "、" : ", "}${nameOf(c)}${language ? "：" : ": "}` + data.outcomes.map((o) => {
    const v = o.values[c * data.n + i];
    return v === v ? `${o.label[language]} ${short(v * money(o))}${unit(o).replace(/[[\]]/g, "")}` : "";
  }).filter(Boolean).concat(data.status[c * data.n + i] === 1 ? [] : [data.states[data.status[c * data.n + i]].label[language]]).join(language ? "、" : ", ");
  byId("draw-parameters").hidden = i < 0;
  byId("draw-values").textContent = i < 0 ? "" : data.parameters.map((p) => `${p.label[language]} ${p.texts.length ? p.texts[p.values[i]] : short(p.values[i])} ${p.unit[language]}`.trim()).join(language ? "、" : ", ");
  showHours();
}

function table(rows, scale) {
  const heads = [say("configuration"), say("n"), say("mean"), "5 %", say("median"), "95 %", say("above"), say("cheapest"), say("regret"), say("worst")];
  const cells = (tag, list) => list.map((text) => Object.assign(document.createElement(tag), { textContent: text }));
  const line = document.createElement("tr");
  line.append(...cells("th", heads));
  byId("numbers").tHead.replaceChildren(line);
  const lead = Math.max(...rows.map((row) => (row.best === row.best && !data.configurations[row.c].free ? row.best : -1)));
  byId("numbers").tBodies[0].replaceChildren(...rows.map((row) => {
    const tr = document.createElement("tr"), head = document.createElement("th"), free = data.configurations[row.c].free;
    const share = (v) => (v === v ? `${(100 * v).toFixed(1)} %` : "–"), yen = language ? 10 : 1, numbers = row.numbers;
    tr.dataset.name = row.name; head.scope = "row"; head.append(key(row.c), nameOf(row.c));
    if (!free && row.best === lead && lead > 0) tr.className = "best";
    tr.append(head, ...cells("td", [numbers.n.toLocaleString(), ...[numbers.mean, numbers.low, numbers.median, numbers.high].map((v) => short(v * scale)),
      share(numbers.above), free ? "–" : share(row.best), short(row.lost.mean * yen), short(row.lost.most * yen)]));
    return tr;
  }));
}

function parallel(keep) {
  const lines = data.lines, found = { xs: [], ys: [], color: [], alpha: [] };
  for (const inside of [0, 1]) {  // the selected ones on top
    for (const { i, xs, ys } of lines) {
      if (keep[i] !== inside) continue;
      found.xs.push(xs); found.ys.push(ys);
      found.color.push(inside && data.best[i] >= 0 ? data.colours[data.best[i]] : GREY); found.alpha.push(inside ? 0.75 : 0.35);
    }
  }
  models["parallel-source"].data = found;
  byId("parallel-note").textContent = language ? `${data.n.toLocaleString()}通りのうち${lines.length}通りを表示。灰色は選択の外、黒は選んだ将来。`
    : `${lines.length} of ${data.n.toLocaleString()} draws are drawn; grey ones are not selected, the black one is the chosen draw.`;
}

function linesOf() {  // the draws that parallel coordinates show, spread evenly over all
  const step = Math.max(1, data.n / SHOWN_LINES), xs = data.parameters.map((_, k) => k), found = [];
  for (let at = 0; at < data.n; at += step) {
    const i = Math.floor(at);
    found.push({ i, xs, ys: data.parameters.map((p) => (p.values[i] - p.low) / (p.high - p.low)) });
  }
  return found;
}

function map(places) {
  const of = (name) => data.parameters.find((p) => p.name === name), { cells, labels } = decisionMap(data, of(state.x), of(state.y), places, data.n < 300 ? FEW_GROUPS : GROUPS);
  const yen = language ? 10 : 1;
  models["map-source"].data = { x: cells.map((c) => c.x), y: cells.map((c) => c.y), color: cells.map((c) => data.colours[c.plan]), alpha: cells.map((c) => (c.n < 3 ? 0.3 : 0.8)),
    name: cells.map((c) => nameOf(c.plan)), n: cells.map((c) => String(c.n)), gap: cells.map((c) => short(c.gap * yen)) };
  last.map = cells;
  axisLabels("map", 0, labels[0]); axisLabels("map", 1, labels[1]);
  const told = models.map;
  const named = (p) => p.label[language] + (p.unit[language] ? ` [${p.unit[language]}]` : "");
  told.below[0].axis_label = named(of(state.x)); told.left[0].axis_label = named(of(state.y));
  told.x_range.setv({ start: -0.5, end: labels[0].length - 0.5 }); told.y_range.setv({ start: -0.5, end: labels[1].length - 0.5 });
}

const labelled = {};  // what axes say: to set it anew lays the drawing out anew

function axisLabels(drawing, side, texts) {
  const key = `${drawing} ${side}`, now = texts.join("\n");
  if (labelled[key] === now) return;
  labelled[key] = now;
  const axis = side ? models[drawing].left[0] : models[drawing].below[0];
  axis.ticker.ticks = texts.map((_, k) => k);
  axis.major_label_overrides = new Map(texts.map((text, k) => [k, text]));
}

function redraw() {
  controls();
  axisLabels("parallel", 0, data.parameters.map((p) => p.label[language]));
  models.parallel.x_range.setv({ start: -0.3, end: data.parameters.length - 0.7 });
  byId("drawing-scatter").setAttribute("aria-label", `${say("scatter")}. ${say("scatter_note")}`);
  follow();
  settle();
}

async function begin() {
  data = prepare(JSON.parse(byId("draws").textContent));
  data.lines = linesOf();
  if (data.hourly) data.hourly.solved.forEach(take);
  await document.fonts.load('16px "Embedded"', "億");  // a canvas does not wait for fonts
  await document.fonts.load('bold 16px "Embedded"', "億");
  await Promise.all(JSON.parse(byId("drawings").textContent).map((item) => Bokeh.embed.embed_item(item)));
  for (const name of ["curves", "parallel", "map", "scatter", "hours"]) {
    for (const model of [name, `${name}-source`]) models[model] = Bokeh.documents.map((each) => each.get_model_by_name(model)).find(Boolean);
  }
  for (const model of ["chosen-source", "own-source"]) models[model] = Bokeh.documents.map((each) => each.get_model_by_name(model)).find(Boolean);
  scatterBegin();
  fromAddress();
  redraw();
  byId("language").onclick = () => { settle(); state.lang = language ? "en" : "ja"; redraw(); };
  byId("reset").onclick = () => { state.ranges = {}; redraw(); };
  const selects = { outcome: "outcome", area: "area", "map-x": "x", "map-y": "y", "scatter-x": "sx", "scatter-y": "sy", plan: "plan", "hours-area": "in", "hours-day": "day" };
  for (const [id, name] of Object.entries(selects)) byId(id).onchange = () => { state[name] = byId(id).value; follow(); };
  window.addEventListener("hashchange", () => { fromAddress(); redraw(); });
  const tap = (x, y) => { settle(); const found = nearestDraw(x, y); if (found >= 0) choose(found); };
  window.explorer = { state, follow, settle, tap, last: () => { settle(); return last; } };
  document.documentElement.dataset.ready = "yes";
}

begin();
