"""Units and currencies: how each symbol is said in Chinese and in English; a table, no grammar."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of measure."""

    chinese: str
    singular: str
    plural: str

    def english(self, *, one: bool) -> str:
        return self.singular if one else self.plural


@dataclass(frozen=True, slots=True)
class Currency:
    """One currency and its hundredth."""

    chinese: str
    singular: str
    plural: str
    cent: str = "cent"
    cents: str = "cents"


def _unit(chinese: str, singular: str, plural: str = "") -> Unit:
    return Unit(chinese, singular, plural or singular + "s")


_LENGTHS = {
    "km": _unit("公里", "kilometer"),
    "m": _unit("米", "meter"),
    "cm": _unit("厘米", "centimeter"),
    "mm": _unit("毫米", "millimeter"),
    "μm": _unit("微米", "micrometer"),
    "um": _unit("微米", "micrometer"),
    "nm": _unit("纳米", "nanometer"),
    "ft": _unit("英尺", "foot", "feet"),
    "mi": _unit("英里", "mile"),
    "yd": _unit("码", "yard"),
}
_POWERS = {
    name + power: Unit(f"{word}{unit.chinese}", f"{adjective} {unit.singular}", f"{adjective} {unit.plural}")
    for name, unit in _LENGTHS.items()
    for power, word, adjective in (("²", "平方", "square"), ("³", "立方", "cubic"))
}
UNITS: dict[str, Unit] = {
    **_LENGTHS,
    **_POWERS,
    "sq ft": _unit("平方英尺", "square foot", "square feet"),
    "m/s²": _unit("米每二次方秒", "meter per second squared", "meters per second squared"),
    "ha": _unit("公顷", "hectare"),
    "kg": _unit("公斤", "kilogram"),
    "g": _unit("克", "gram"),
    "mg": _unit("毫克", "milligram"),
    "μg": _unit("微克", "microgram"),
    "ug": _unit("微克", "microgram"),
    "t": _unit("吨", "ton"),
    "lb": _unit("磅", "pound"),
    "lbs": _unit("磅", "pound"),
    "oz": _unit("盎司", "ounce"),
    "L": _unit("升", "liter"),
    "l": _unit("升", "liter"),
    "mL": _unit("毫升", "milliliter"),
    "ml": _unit("毫升", "milliliter"),
    "gal": _unit("加仑", "gallon"),
    "tsp": _unit("茶匙", "teaspoon"),
    "tbsp": _unit("汤匙", "tablespoon"),
    "h": _unit("小时", "hour"),
    "hr": _unit("小时", "hour"),
    "hrs": _unit("小时", "hour"),
    "min": _unit("分钟", "minute"),
    "mins": _unit("分钟", "minute"),
    "s": _unit("秒", "second"),
    "sec": _unit("秒", "second"),
    "secs": _unit("秒", "second"),
    "ms": _unit("毫秒", "millisecond"),
    "μs": _unit("微秒", "microsecond"),
    "us": _unit("微秒", "microsecond"),
    "ns": _unit("纳秒", "nanosecond"),
    "°C": _unit("摄氏度", "degree Celsius", "degrees Celsius"),
    "°F": _unit("华氏度", "degree Fahrenheit", "degrees Fahrenheit"),
    "°": _unit("度", "degree"),
    "Hz": _unit("赫兹", "hertz", "hertz"),
    "kHz": _unit("千赫兹", "kilohertz", "kilohertz"),
    "MHz": _unit("兆赫兹", "megahertz", "megahertz"),
    "GHz": _unit("吉赫兹", "gigahertz", "gigahertz"),
    "W": _unit("瓦", "watt"),
    "kW": _unit("千瓦", "kilowatt"),
    "MW": _unit("兆瓦", "megawatt"),
    "GW": _unit("吉瓦", "gigawatt"),
    "Wh": _unit("瓦时", "watt hour"),
    "kWh": _unit("千瓦时", "kilowatt hour"),
    "MWh": _unit("兆瓦时", "megawatt hour"),
    "V": _unit("伏", "volt"),
    "kV": _unit("千伏", "kilovolt"),
    "mV": _unit("毫伏", "millivolt"),
    "mA": _unit("毫安", "milliamp"),
    "mAh": _unit("毫安时", "milliamp hour"),
    "Ω": _unit("欧姆", "ohm"),
    "J": _unit("焦", "joule"),
    "kJ": _unit("千焦", "kilojoule"),
    "cal": _unit("卡", "calorie"),
    "kcal": _unit("千卡", "kilocalorie"),
    "Pa": _unit("帕", "pascal"),
    "hPa": _unit("百帕", "hectopascal"),
    "kPa": _unit("千帕", "kilopascal"),
    "MPa": _unit("兆帕", "megapascal"),
    "mmHg": _unit("毫米汞柱", "millimeter of mercury", "millimeters of mercury"),
    "dB": _unit("分贝", "decibel"),
    "mol": _unit("摩尔", "mole"),
    "mmol": _unit("毫摩尔", "millimole"),
    "px": _unit("像素", "pixel"),
    "rpm": _unit("转每分钟", "revolution per minute", "revolutions per minute"),
    "fps": _unit("帧每秒", "frame per second", "frames per second"),
    "mph": _unit("英里每小时", "mile per hour", "miles per hour"),
    "kph": _unit("公里每小时", "kilometer per hour", "kilometers per hour"),
    "bps": _unit("比特每秒", "bit per second", "bits per second"),
    "kbps": _unit("千比特每秒", "kilobit per second", "kilobits per second"),
    "Mbps": _unit("兆比特每秒", "megabit per second", "megabits per second"),
    "Gbps": _unit("吉比特每秒", "gigabit per second", "gigabits per second"),
    "KB": _unit("K B", "kilobyte"),
    "kB": _unit("K B", "kilobyte"),
    "MB": _unit("M B", "megabyte"),
    "GB": _unit("G B", "gigabyte"),
    "TB": _unit("T B", "terabyte"),
    "PB": _unit("P B", "petabyte"),
    "KiB": _unit("K i B", "kibibyte"),
    "MiB": _unit("M i B", "mebibyte"),
    "GiB": _unit("G i B", "gibibyte"),
}

PER: dict[str, tuple[str, str]] = {
    "h": ("每小时", "per hour"),
    "hr": ("每小时", "per hour"),
    "min": ("每分钟", "per minute"),
    "s": ("每秒", "per second"),
    "d": ("每天", "per day"),
    "day": ("每天", "per day"),
    "mo": ("每月", "per month"),
    "month": ("每月", "per month"),
    "yr": ("每年", "per year"),
    "year": ("每年", "per year"),
    "kg": ("每公斤", "per kilogram"),
    "L": ("每升", "per liter"),
    "l": ("每升", "per liter"),
    "mL": ("每毫升", "per milliliter"),
    "ml": ("每毫升", "per milliliter"),
    "dL": ("每分升", "per deciliter"),
    "dl": ("每分升", "per deciliter"),
    "m²": ("每平方米", "per square meter"),
    "m³": ("每立方米", "per cubic meter"),
    "cm³": ("每立方厘米", "per cubic centimeter"),
    "km²": ("每平方公里", "per square kilometer"),
}

_YUAN = Currency("元", "yuan", "yuan", "fen", "fen")
_DOLLAR = Currency("美元", "dollar", "dollars")
_EURO = Currency("欧元", "euro", "euros")
_POUND = Currency("英镑", "pound", "pounds", "penny", "pence")
_YEN = Currency("日元", "yen", "yen", "sen", "sen")
_HONG_KONG = Currency("港元", "Hong Kong dollar", "Hong Kong dollars")
CURRENCIES: dict[str, Currency] = {
    "¥": _YUAN,
    "￥": _YUAN,
    "CN¥": _YUAN,
    "CNY": _YUAN,
    "RMB": _YUAN,
    "$": _DOLLAR,
    "US$": _DOLLAR,
    "USD": Currency("美元", "US dollar", "US dollars"),
    "HK$": _HONG_KONG,
    "HKD": _HONG_KONG,
    "NT$": Currency("新台币", "Taiwan dollar", "Taiwan dollars"),
    "A$": Currency("澳元", "Australian dollar", "Australian dollars"),
    "AUD": Currency("澳元", "Australian dollar", "Australian dollars"),
    "C$": Currency("加元", "Canadian dollar", "Canadian dollars"),
    "CAD": Currency("加元", "Canadian dollar", "Canadian dollars"),
    "S$": Currency("新加坡元", "Singapore dollar", "Singapore dollars"),
    "€": _EURO,
    "EUR": _EURO,
    "£": _POUND,
    "GBP": _POUND,
    "JP¥": _YEN,
    "JPY": _YEN,
    "₩": Currency("韩元", "won", "won"),
    "KRW": Currency("韩元", "won", "won"),
    "₹": Currency("卢比", "rupee", "rupees", "paisa", "paise"),
    "INR": Currency("卢比", "rupee", "rupees", "paisa", "paise"),
    "₽": Currency("卢布", "ruble", "rubles", "kopek", "kopeks"),
    "฿": Currency("泰铢", "baht", "baht", "satang", "satang"),
    "₫": Currency("越南盾", "dong", "dong"),
    "₿": Currency("比特币", "bitcoin", "bitcoins"),
    "CHF": Currency("瑞士法郎", "Swiss franc", "Swiss francs"),
}


def alternatives(names: dict[str, Unit] | dict[str, Currency] | dict[str, tuple[str, str]]) -> str:
    """The names as one alternative of a pattern, longest first."""
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
