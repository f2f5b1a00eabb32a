"""Name configurations, uncertainties, areas, metrics and troubles in Japanese and English."""

from __future__ import annotations

from typing import Final

Pair = tuple[str, str]  # English, Japanese

CONFIGURATIONS: Final[dict[str, Pair]] = {
    "tokyo_osaka": ("tokyo_osaka", "東京・大阪集中"),
    "today": ("today", "現状の比率"),
    "four_hubs": ("four_hubs", "4拠点"),
    "five_hubs": ("five_hubs", "5拠点"),
    "watt_bit_2040": ("watt_bit_2040", "ワット・ビット2040"),
    "ten_areas": ("ten_areas", "10エリア分散"),
    "optimal": ("optimal", "最適（将来ごと）"),
}

AREAS: Final[dict[str, Pair]] = {
    "Hokkaido": ("Hokkaido", "北海道"),
    "Tohoku": ("Tohoku", "東北"),
    "Tokyo": ("Tokyo", "東京"),
    "Chubu": ("Chubu", "中部"),
    "Hokuriku": ("Hokuriku", "北陸"),
    "Kansai": ("Kansai", "関西"),
    "Chugoku": ("Chugoku", "中国"),
    "Shikoku": ("Shikoku", "四国"),
    "Kyushu": ("Kyushu", "九州"),
    "Okinawa": ("Okinawa", "沖縄"),
}

LINES: Final[dict[str, Pair]] = {
    "hokkaido_tohoku": ("Hokkaido–Tohoku", "北海道～東北"),
    "japan_sea": ("Hokkaido–Tokyo (Japan Sea HVDC)", "北海道～東京（日本海HVDC）"),
    "tohoku_tokyo": ("Tohoku–Tokyo", "東北～東京"),
    "tokyo_chubu_fc": ("Tokyo–Chubu (frequency converters)", "東京～中部（周波数変換）"),
    "chubu_kansai": ("Chubu–Kansai", "中部～関西"),
    "chubu_hokuriku": ("Chubu–Hokuriku", "中部～北陸"),
    "hokuriku_kansai": ("Hokuriku–Kansai", "北陸～関西"),
    "kansai_chugoku": ("Kansai–Chugoku", "関西～中国"),
    "kansai_shikoku": ("Kansai–Shikoku", "関西～四国"),
    "chugoku_shikoku": ("Chugoku–Shikoku", "中国～四国"),
    "chugoku_kyushu": ("Chugoku–Kyushu", "中国～九州"),
    "kanmon_second": ("Chugoku–Kyushu (second Kanmon link)", "中国～九州（関門第二）"),
}

TIERS: Final[dict[str, Pair]] = {
    "hub": ("hub", "ハブ"),
    "renewable_city": ("renewable city", "再エネ都市"),
    "smart_city": ("smart city", "スマート都市"),
}

PARAMETERS: Final[dict[str, Pair]] = {
    "dc_demand": ("data-centre demand", "データセンター需要"),
    "demand_growth": ("other demand, factor", "その他需要の倍率"),
    "solar_buildout": ("solar build-out, factor", "太陽光導入の倍率"),
    "wind_onshore_buildout": ("onshore wind build-out, factor", "陸上風力導入の倍率"),
    "wind_offshore_buildout": ("offshore wind build-out, factor", "洋上風力導入の倍率"),
    "battery_buildout": ("battery build-out, factor", "蓄電池導入の倍率"),
    "nuclear_capacity": ("nuclear capacity, factor", "原子力設備の倍率"),
    "pue_gap": ("PUE differences, factor", "PUE地域差の倍率"),
    "regional_capex": ("regional building cost / Tokyo's", "地方建設費の対東京比"),
    "lng_fuel_cost": ("LNG fuel cost", "LNG燃料費"),
    "coal_fuel_cost": ("coal fuel cost", "石炭燃料費"),
    "co2_price": ("CO2 price", "CO2価格"),
    "apn_adoption": ("APN adoption", "APN普及率"),
    "wls_time_share": ("load movable in time", "時間シフト可能な割合"),
    "wls_space_share": ("load movable in space", "空間シフト可能な割合"),
    "transfer_derate": ("usable line capacity", "連系線の利用率"),
    "japan_sea_hvdc": ("Japan Sea HVDC link built", "日本海ルートHVDCの建設"),
    "kanmon_second_link": ("second Kanmon link built", "関門第二連系線の建設"),
    "weather_year": ("weather year", "気象年"),
}

UNITS: Final[dict[str, Pair]] = {
    "GW": ("GW", "GW"),
    "yen/kWh": ("yen/kWh", "円/kWh"),
    "yen/t": ("yen/t", "円/t"),
}

METRICS: Final[dict[str, Pair]] = {
    "expected": ("Expected", "期待値"),
    "worst_case": ("Worst case (minimax)", "最悪値（ミニマックス）"),
    "best_case": ("Best case (minimin)", "最良値（ミニミン）"),
    "hurwicz": ("Hurwicz, 0.75 on the worst", "フルヴィッツ（最悪に0.75）"),
    "minimax_regret": ("Largest regret", "最大後悔"),
    "quantile_regret": ("90 % regret", "90％点の後悔"),
    "relative_regret": ("90 % relative regret", "90％点の相対後悔"),
    "value_at_risk": ("VaR 0.9", "VaR 0.9"),
    "cvar": ("CVaR 0.9", "CVaR 0.9"),
    "domain_criterion": ("Share of futures within 1 % of the best", "最良案から1％以内の将来の割合"),
    "satisficing_radius": ("Distance to the first future beyond that", "1％を超える最初の将来までの距離"),
    "standard_deviation": ("Standard deviation", "標準偏差"),
    "undesirable_deviations": ("Undesirable deviations", "望ましくない偏差"),
    "percentile_skewness": ("Percentile skewness", "パーセンタイル歪度"),
    "percentile_peakedness": ("Percentile peakedness", "パーセンタイル尖度"),
    "signal_to_noise": ("Mean / standard deviation", "平均／標準偏差"),
}

TROUBLES: Final[dict[str, Pair]] = {
    "failed": ("F: draws that failed", "F：解けなかった将来"),
    "load_lost": ("L: load lost (LOLE above 0)", "L：供給支障（LOLE＞0）"),
    "headroom": ("H: grid headroom exceeded", "H：系統空容量の超過"),
    "sites": ("S: site rules broken", "S：立地規則の違反"),
}

SOURCES: Final[dict[str, str]] = {
    "expected": "Laplace",
    "worst_case": "Wald 1950",
    "best_case": "McPhail et al. 2018",
    "hurwicz": "Hurwicz 1951",
    "minimax_regret": "Savage 1951",
    "quantile_regret": "Herman et al. 2015",
    "relative_regret": "Herman et al. 2015",
    "value_at_risk": "Rockafellar & Uryasev 2002",
    "cvar": "Rockafellar & Uryasev 2002",
    "domain_criterion": "Starr 1963",
    "satisficing_radius": "Herman et al. 2015",
    "standard_deviation": "Kwakkel et al. 2016",
    "undesirable_deviations": "Kwakkel et al. 2016",
    "percentile_skewness": "Voudouris et al. 2014",
    "percentile_peakedness": "Voudouris et al. 2014",
    "signal_to_noise": "Kwakkel et al. 2016",
}
