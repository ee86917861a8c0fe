"""The product catalogue: stage, what the total counts, and the grade windows.

Purity is relative: a window of an element is in ppm of the total (TREO or TREM). A window's upper
end is there only where the trade means a composition; a purer product is never refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from ledger.limits import PPM


@dataclass(frozen=True, slots=True)
class Product:
    """A product that can be registered.

    `stage`; `kind`: "TREO" or "TREM"; `total`: lowest and highest total in ppm of the product;
    `windows`: (elements, lowest, highest) where their sum, in ppm of the total, must lie.
    """

    stage: str
    kind: str
    total: tuple[int, int]
    windows: tuple[tuple[tuple[str, ...], int, int], ...] = ()


def _oxide(element: str, lowest: int) -> Product:
    return Product("separated", "TREO", (990_000, PPM), (((element,), lowest, PPM),))


def _metal(element: str, lowest: int) -> Product:
    return Product("metal", "TREM", (985_000, PPM), (((element,), lowest, PPM),))


PRODUCTS = MappingProxyType(
    {
        "ree-concentrate": Product("concentrate", "TREO", (200_000, 750_000)),
        "ree-carbonate": Product("mixed", "TREO", (420_000, 450_000)),
        "la2o3": _oxide("La", 995_000),
        "ceo2": _oxide("Ce", 995_000),
        "pr6o11": _oxide("Pr", 990_000),
        "nd2o3": _oxide("Nd", 990_000),
        "sm2o3": _oxide("Sm", 995_000),
        "eu2o3": _oxide("Eu", 999_500),
        "gd2o3": _oxide("Gd", 995_000),
        "tb4o7": _oxide("Tb", 999_500),
        "dy2o3": _oxide("Dy", 995_000),
        "er2o3": _oxide("Er", 995_000),
        "y2o3": _oxide("Y", 999_950),
        "prnd-oxide": Product(
            "separated",
            "TREO",
            (990_000, PPM),
            ((("Pr", "Nd"), 990_000, PPM), (("Nd",), 700_000, 850_000)),
        ),
        "la-metal": _metal("La", 990_000),
        "nd-metal": _metal("Nd", 990_000),
        "tb-metal": _metal("Tb", 999_000),
        "dy-metal": _metal("Dy", 990_000),
        "prnd-metal": Product(
            "metal",
            "TREM",
            (985_000, PPM),
            ((("Pr",), 200_000, 250_000), (("Nd",), 750_000, 800_000)),
        ),
        "prnd-dy-alloy": Product(
            "alloy",
            "TREM",
            (985_000, PPM),
            ((("Pr", "Nd", "Dy"), 990_000, PPM), (("Dy",), 1, PPM)),
        ),
        "dy-fe": Product("alloy", "TREM", (780_000, 820_000), ((("Dy",), 990_000, PPM),)),
        "mischmetal": Product(
            "alloy",
            "TREM",
            (985_000, PPM),
            ((("Ce",), 600_000, 700_000), (("La",), 300_000, 400_000)),
        ),
        "magnet-scrap": Product("scrap", "TREM", (200_000, 350_000)),
    }
)
