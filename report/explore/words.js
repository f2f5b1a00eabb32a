// What the page says, in English and Japanese, and how it names outcomes, units, configurations and dates.
"use strict";

const SAY = {
  title: ["Explore the draws", "将来を探る"], reset: ["All draws", "すべての将来に戻す"], outcome: ["Outcome", "結果"],
  area: ["Area", "エリア"], configurations: ["Configurations", "案"], ranges: ["Uncertainties", "不確実性"],
  ranges_note: ["Strongest first. Move both ends, also by the arrow keys: every number follows.", "影響の大きい順。両端を動かすと（矢印キーでも可）すべての数値が追従する。"],
  curves: ["Share of draws up to a value", "値以下となる将来の割合"], map: ["Decision map: plan of least mean total cost", "意思決定マップ：総費用の平均が最小の案"],
  across: ["across", "横軸"], up: ["up", "縦軸"], map_note: ["Figures: draws of a cell; pale below 3. Point at a cell for the plan and its lead.", "数字は区画内の将来の数、3未満は淡色。区画に触れると案と差を示す。"],
  scatter: ["Draws: choose one", "将来の散布図：一つを選ぶ"], scatter_note: ["Click a dot, or focus the drawing and press the arrow keys: left and right go by the value across, up and down by the value up. Colours: cheapest plan; grey: not selected; crosses: draws that failed in some plan. Few values are spread a little.",
    "点をクリックするか、図にフォーカスして矢印キーを押す（左右は横軸の順、上下は縦軸の順）。色は最も安い案、灰色は選択の外、×は解けない案のある将来。取りうる値が少ない軸では点を少しずらす。"],
  plan: ["plan in focus", "注目する案"], draw: ["draw", "将来の番号"], named: ["draws told by name", "名前のある将来"], hours: ["Hourly dispatch of the chosen draw", "選んだ将来の1時間ごとの需給"],
  country: ["Japan", "全国"], all_days: ["all representative days", "代表日すべて"], day: ["day", "日"], energy_year: ["TWh a year", "TWh/年"], energy_day: ["GWh", "GWh"], parameters: ["Its parameters", "この将来のパラメータ"],
  hours_note: ["Hours are in Japan Standard Time; × tells how many days of the year a representative day stands for. Below zero: what is stored, sent or spilled. Hatched on top: curtailment. Values are rounded to one megawatt. Sun and wind are curtailed by the same share.",
    "時刻は日本標準時。×は代表日が表す年間の日数。ゼロより下は充電・送電・余剰、上の斜線は出力抑制。値は1 MWに丸めた。太陽光と風力は同じ割合で抑制。"],
  solving: ["solving it again …", "再計算中…"], no_server: ["the program behind this page does not answer: start `wattbit explore STORE --serve` again", "このページのプログラムが応答しない。`wattbit explore STORE --serve` を再度実行のこと"],
  power: ["power [GW]", "電力 [GW]"], hour: ["hour (JST)", "時刻（JST）"],
  parallel: ["Parallel coordinates, coloured by the cheapest plan", "平行座標（色は最も安い案）"],
  marks: ["Marks: F failed draws, L load lost, H headroom exceeded, S site rules broken, * sited anew in every draw. Draws count alike; what is missing is left out.",
    "印：F＝解けない将来、L＝供給支障、H＝系統空容量超過、S＝立地規則違反、*＝将来ごとに立地。各将来の重みは等しく、欠けた値は除く。"],
  n: ["n", "n"], mean: ["mean", "平均"], median: ["median", "中央値"], above: ["share > 0", "正の割合"], cheapest: ["cheapest plan in", "最も安い将来の割合"],
  regret: ["mean regret", "平均後悔"], worst: ["largest regret", "最大後悔"], configuration: ["configuration", "案"],
};

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const byId = (id) => document.getElementById(id);
const state = {};
let language = 0, data = null, models = {}, last = {};

const say = (key) => SAY[key][language];
const money = (outcome) => (outcome.money ? (language ? 10 : 1) : 1);
const unit = (outcome) => (outcome.money ? (language ? " [億円/年]" : " [billion yen per year]") : "");
const outcomes = () => [...data.outcomes, ...data.by_area];
const outcomeOf = () => outcomes().find((o) => o.name === state.outcome);
const placeOf = (name) => data.configurations.findIndex((each) => each.name === name);
const nameOf = (c) => {
  const told = data.configurations[c], marks = told.trouble + (told.free ? "*" : "");
  return told.label[language] + (marks ? ` [${marks}]` : "");
};
const dateOf = ([month, day]) => (language ? `${month}月${day}日` : `${day} ${MONTHS[month - 1]}`);
