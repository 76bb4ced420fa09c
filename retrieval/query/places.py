"""Coordinates of named places: as the posts give them, or of a few large cities. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from statistics import median

from retrieval.text.exact_words import word_pattern
from retrieval.text.folding import fold
from retrieval.types import Post

_SHORTEST_NAME = 2

# Names in Chinese and English, latitude and longitude of the centre, rounded to a hundredth of a degree (1 km).
_CITIES = """
上海 Shanghai 31.23 121.47 | 北京 Beijing Peking 39.90 116.40 | 广州 Guangzhou Canton 23.13 113.26
深圳 Shenzhen 22.54 114.06 | 成都 Chengdu 30.57 104.07 | 重庆 Chongqing 29.56 106.55 | 杭州 Hangzhou 30.27 120.15
南京 Nanjing 32.06 118.80 | 苏州 Suzhou 31.30 120.59 | 武汉 Wuhan 30.59 114.31 | 西安 Xian Xi'an 34.34 108.94
天津 Tianjin 39.13 117.20 | 长沙 Changsha 28.23 112.94 | 青岛 Qingdao 36.07 120.38 | 厦门 Xiamen 24.48 118.09
昆明 Kunming 25.04 102.71 | 大理 Dali 25.69 100.16 | 丽江 Lijiang 26.87 100.23 | 三亚 Sanya 18.25 109.51
哈尔滨 Harbin 45.80 126.53 | 沈阳 Shenyang 41.80 123.43 | 大连 Dalian 38.91 121.61 | 郑州 Zhengzhou 34.75 113.63
济南 Jinan 36.65 117.12 | 宁波 Ningbo 29.87 121.55 | 福州 Fuzhou 26.07 119.30 | 贵阳 Guiyang 26.65 106.63
桂林 Guilin 25.27 110.29 | 拉萨 Lhasa 29.65 91.14 | 乌鲁木齐 Urumqi 43.83 87.62 | 香港 Hong_Kong Hongkong 22.32 114.17
澳门 Macau Macao 22.20 113.54 | 台北 Taipei 25.03 121.57 | 高雄 Kaohsiung 22.63 120.30
东京 Tokyo 35.68 139.69 | 大阪 Osaka 34.69 135.50 | 京都 Kyoto 35.01 135.77 | 首尔 Seoul 37.57 126.98
曼谷 Bangkok 13.76 100.50 | 清迈 Chiang_Mai 18.79 98.98 | 新加坡 Singapore 1.35 103.82
吉隆坡 Kuala_Lumpur 3.14 101.69 | 巴厘岛 Bali 8.41S 115.19 | 雅加达 Jakarta 6.21S 106.85 | 马尼拉 Manila 14.60 120.98
河内 Hanoi 21.03 105.85 | 胡志明市 Ho_Chi_Minh_City Saigon 10.78 106.70 | 孟买 Mumbai 19.08 72.88
德里 Delhi 28.61 77.21 | 迪拜 Dubai 25.20 55.27 | 伊斯坦布尔 Istanbul 41.01 28.98
莫斯科 Moscow 55.76 37.62 | 伦敦 London 51.51 0.13W
巴黎 Paris 48.86 2.35 | 柏林 Berlin 52.52 13.40 | 慕尼黑 Munich 48.14 11.58 | 阿姆斯特丹 Amsterdam 52.37 4.90
罗马 Rome 41.90 12.50 | 米兰 Milan 45.46 9.19 | 马德里 Madrid 40.42 3.70W | 巴塞罗那 Barcelona 41.39 2.17
里斯本 Lisbon 38.72 9.14W | 维也纳 Vienna 48.21 16.37 | 苏黎世 Zurich 47.38 8.54 | 开罗 Cairo 30.04 31.24
纽约 New_York New_York_City NYC 40.71 74.01W | 洛杉矶 Los_Angeles LA 34.05 118.24W | 旧金山 San_Francisco 37.77 122.42W
西雅图 Seattle 47.61 122.33W | 芝加哥 Chicago 41.88 87.63W | 波士顿 Boston 42.36 71.06W | 多伦多 Toronto 43.65 79.38W
温哥华 Vancouver 49.28 123.12W | 墨西哥城 Mexico_City 19.43 99.13W | 圣保罗 Sao_Paulo São_Paulo 23.55S 46.63W
悉尼 Sydney 33.87S 151.21 | 墨尔本 Melbourne 37.81S 144.96 | 奥克兰 Auckland 36.85S 174.76
"""


def _degrees(written: str) -> float:
    return -float(written[:-1]) if written[-1] in "SW" else float(written)


def _read_cities(table: str) -> dict[str, tuple[float, float]]:
    cities: dict[str, tuple[float, float]] = {}
    for entry in table.replace("\n", "|").split("|"):
        *names, latitude, longitude = entry.split() or ["", "0", "0"]
        cities |= {fold(name.replace("_", " ")): (_degrees(latitude), _degrees(longitude)) for name in names if name}
    return cities


CITIES = _read_cities(_CITIES)


def city(name: str) -> tuple[float, float] | None:
    """Latitude and longitude of a large city, by its English or Chinese name, with or without 市; None for any other.

    >>> city("紐約"), city("new york"), city("Atlantis")
    ((40.71, -74.01), (40.71, -74.01), None)
    """
    folded = " ".join(fold(name).split())
    return CITIES.get(folded) or CITIES.get(folded.removesuffix("市"))


class Places:
    """The places that posts name, with their coordinates. Stores each name once, and 16 bytes for each post."""

    def __init__(self, posts: Iterable[Post] = ()) -> None:
        self._points: dict[str, array[float]] = {}  # latitude, longitude, latitude, ...
        for post in posts:
            place = post.place
            if place is not None and place.latitude is not None and place.longitude is not None:
                held = self._points.setdefault(" ".join(fold(place.name).split()), array("d"))
                held.extend((place.latitude, place.longitude))

    def locate(self, name: str) -> tuple[float, float] | None:
        """Latitude and longitude: the median of the posts whose place names contain this one, else those of a large
        city.

        The median ignores outliers, but is wrong for places on both sides of the 180th meridian.
        """
        folded = " ".join(fold(name).split())
        if len(folded) < _SHORTEST_NAME:
            return None
        pattern = word_pattern(name)
        points: array[float] = array("d")
        for held, these in self._points.items():
            if folded in held and pattern.search(held):
                points.extend(these)
        return (median(points[::2]), median(points[1::2])) if points else city(name)
