// The page: state in its address, controls that change it, and drawings that follow. Numbers come from statistics.js.
"use strict";

const SAY = {
  title: ["Explore the draws", "将来を探る"], reset: ["All draws", "すべての将来に戻す"], outcome: ["Outcome", "結果"],
  area: ["Area", "エリア"], configurations: ["Configurations", "案"], ranges: ["Uncertainties", "不確実性"],
  ranges_note: ["Strongest first. Move both ends, also by the arrow keys: every number follows.", "影響の大きい順。両端を動かすと（矢印キーでも可）すべての数値が追従する。"],
  curves: ["Share of draws up to a value", "値以下となる将来の割合"], map: ["Decision map: plan of least mean total cost", "意思決定マップ：総費用の平均が最小の案"],
  across: ["across", "横軸"], up: ["up", "縦軸"], map_note: ["Figures: draws of a cell; pale below 3. Point at a cell for the plan and its lead.", "数字は区画内の将来の数、3未満は淡色。区画に触れると案と差を示す。"],
  parallel: ["Parallel coordinates, coloured by the cheapest plan", "平行座標（色は最も安い案）"],
  marks: ["Marks: F failed draws, L load lost, H headroom exceeded, S site rules broken, * sited anew in every draw. Draws count alike; what is missing is left out.",
    "印：F＝解けない将来、L＝供給支障、H＝系統空容量超過、S＝立地規則違反、*＝将来ごとに立地。各将来の重みは等しく、欠けた値は除く。"],
  n: ["n", "n"], mean: ["mean", "平均"], median: ["median", "中央値"], above: ["share > 0", "正の割合"], cheapest: ["cheapest plan in", "最も安い将来の割合"],
  regret: ["mean regret", "平均後悔"], worst: ["largest regret", "最大後悔"], configuration: ["configuration", "案"],
};
const SHOWN_LINES = 250, GROUPS = 5, FEW_GROUPS = 3, GREY = "#c8c8c8";
const data = prepare(JSON.parse(document.getElementById("draws").textContent));
const byId = (id) => document.getElementById(id);
const state = {};
let language = 0, models = {}, last = {};

const say = (key) => SAY[key][language];
const money = (outcome) => (outcome.money ? (language ? 10 : 1) : 1);
const unit = (outcome) => (outcome.money ? (language ? " [億円/年]" : " [billion yen per year]") : "");
const outcomes = () => [...data.outcomes, ...data.by_area];
const outcomeOf = () => outcomes().find((o) => o.name === state.outcome);
const nameOf = (c) => {
  const told = data.configurations[c], marks = told.trouble + (told.free ? "*" : "");
  return told.label[language] + (marks ? ` [${marks}]` : "");
};

function fresh() {
  const two = data.parameters.slice(0, 2).map((p) => p.name);
  Object.assign(state, { lang: data.language, outcome: data.outcomes[0].name, area: data.areas.length ? data.areas[0].name : "",
    shown: data.configurations.map((c) => c.name), ranges: {}, x: two[0], y: two[1] || two[0] });
}

function fromAddress() {
  fresh();
  const told = new URLSearchParams(location.hash.slice(1)), known = (list, name) => list.some((each) => each.name === name);
  if (["ja", "en"].includes(told.get("lang"))) state.lang = told.get("lang");
  if (known(outcomes(), told.get("outcome"))) state.outcome = told.get("outcome");
  if (known(data.areas, told.get("area"))) state.area = told.get("area");
  if (told.get("show")) state.shown = told.get("show").split(",").filter((name) => known(data.configurations, name));
  for (const axis of ["x", "y"]) if (known(data.parameters, told.get(axis))) state[axis] = told.get(axis);
  for (const p of data.parameters) {
    const ends = (told.get(`r.${p.name}`) || "").split("~").map(Number);
    if (ends.length === 2 && ends.every(Number.isFinite)) state.ranges[p.name] = ends;
  }
}

function toAddress() {
  const told = new URLSearchParams({ lang: state.lang, outcome: state.outcome, x: state.x, y: state.y });
  if (outcomeOf().area) told.set("area", state.area);
  if (state.shown.length < data.configurations.length) told.set("show", state.shown.join(","));
  for (const [name, ends] of Object.entries(state.ranges)) told.set(`r.${name}`, ends.join("~"));
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

function follow() {  // computes anew and draws
  const begun = performance.now(), outcome = outcomeOf(), scale = money(outcome);
  const area = data.areas.findIndex((each) => each.name === state.area);
  byId("area-label").hidden = !outcome.area;
  const { keep, places } = selected(data, state.ranges), best = cheapest(data, places);
  const regret = data.outcomes.find((o) => o.name === "regret_total");
  const rows = [], curves = { xs: [], ys: [], color: [], dash: [] };
  data.configurations.forEach((told, c) => {
    if (!state.shown.includes(told.name)) return;
    const ordered = sorted(data, outcome, c, area, places), numbers = described(ordered);
    const lost = regret ? described(sorted(data, regret, c, 0, places)) : { mean: NaN, most: NaN };
    rows.push({ c, name: told.name, numbers, best: best.shares[c], lost });
    const points = Math.min(200, ordered.length), at = (k) => Math.round((k * (ordered.length - 1)) / Math.max(1, points - 1));
    curves.xs.push(Array.from({ length: points }, (_, k) => ordered[at(k)] * scale));
    curves.ys.push(Array.from({ length: points }, (_, k) => (at(k) + 1) / ordered.length));
    curves.color.push(data.colours[c]); curves.dash.push(data.dashes[c]);
  });
  last = { places, rows, outcome: outcome.name, judged: best.judged };
  byId("selected").textContent = language ? `${data.n.toLocaleString()}通りのうち${places.length.toLocaleString()}通りを選択`
    : `${places.length.toLocaleString()} of ${data.n.toLocaleString()} draws selected`;
  byId("table-title").textContent = outcome.label[language] + unit(outcome) + (outcome.area ? `, ${data.areas[area].label[language]}` : "");
  table(rows, scale);
  models["curves-source"].data = curves;
  parallel(keep);
  map(places);
  toAddress();
  last.milliseconds = performance.now() - begun;
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
  const n = data.n, step = Math.max(1, n / SHOWN_LINES), found = { xs: [], ys: [], color: [], alpha: [] }, above = { xs: [], ys: [], color: [], alpha: [] };
  let shown = 0;
  for (let at = 0; at < n; at += step) {
    const i = Math.floor(at), inside = keep[i], target = inside ? above : found;
    target.xs.push(data.parameters.map((_, k) => k));
    target.ys.push(data.parameters.map((p) => (p.values[i] - p.low) / (p.high - p.low)));
    target.color.push(inside && data.best[i] >= 0 ? data.colours[data.best[i]] : GREY); target.alpha.push(inside ? 0.75 : 0.35);
    shown++;
  }
  const both = {};
  for (const name of Object.keys(found)) both[name] = [...found[name], ...above[name]];
  models["parallel-source"].data = both;
  byId("parallel-note").textContent = language ? `${n.toLocaleString()}通りのうち${shown}通りを表示。灰色は選択の外。` : `${shown} of ${n.toLocaleString()} draws are drawn; grey ones are not selected.`;
}

function map(places) {
  const of = (name) => data.parameters.find((p) => p.name === name), { cells, labels } = decisionMap(data, of(state.x), of(state.y), places, data.n < 300 ? FEW_GROUPS : GROUPS);
  const yen = language ? 10 : 1;
  models["map-source"].data = { x: cells.map((c) => c.x), y: cells.map((c) => c.y), color: cells.map((c) => data.colours[c.plan]), alpha: cells.map((c) => (c.n < 3 ? 0.3 : 0.8)),
    name: cells.map((c) => nameOf(c.plan)), n: cells.map((c) => String(c.n)), gap: cells.map((c) => short(c.gap * yen)) };
  last.map = cells;
  axisLabels("map", 0, labels[0]); axisLabels("map", 1, labels[1]);
  const told = models.map;
  told.below[0].axis_label = of(state.x).label[language]; told.left[0].axis_label = of(state.y).label[language];
  told.x_range.setv({ start: -0.5, end: labels[0].length - 0.5 }); told.y_range.setv({ start: -0.5, end: labels[1].length - 0.5 });
}

function axisLabels(drawing, side, texts) {
  const axis = side ? models[drawing].left[0] : models[drawing].below[0];
  axis.ticker.ticks = texts.map((_, k) => k);
  axis.major_label_overrides = new Map(texts.map((text, k) => [k, text]));
}

function redraw() {
  controls();
  axisLabels("parallel", 0, data.parameters.map((p) => p.label[language]));
  models.parallel.x_range.setv({ start: -0.3, end: data.parameters.length - 0.7 });
  follow();
}

async function begin() {
  await document.fonts.load('16px "Embedded"', "億");  // a canvas does not wait for fonts
  await document.fonts.load('bold 16px "Embedded"', "億");
  await Promise.all(JSON.parse(byId("drawings").textContent).map((item) => Bokeh.embed.embed_item(item)));
  for (const name of ["curves", "parallel", "map", "curves-source", "parallel-source", "map-source"]) {
    models[name] = Bokeh.documents.map((each) => each.get_model_by_name(name)).find(Boolean);
  }
  fromAddress();
  redraw();
  byId("language").onclick = () => { state.lang = language ? "en" : "ja"; redraw(); };
  byId("reset").onclick = () => { state.ranges = {}; redraw(); };
  for (const [id, name] of [["outcome", "outcome"], ["area", "area"], ["map-x", "x"], ["map-y", "y"]]) byId(id).onchange = () => { state[name] = byId(id).value; follow(); };
  window.addEventListener("hashchange", () => { fromAddress(); redraw(); });
  window.explorer = { state, follow, last: () => last };
  document.documentElement.dataset.ready = "yes";
}

begin();
