"""Rare-earth elements, their trade oxides, and exact integer conversion between the two.

Factors are kg of oxide per kg of element, times 10⁶, rounded half up from the abridged standard
atomic weights of IUPAC (2021; five digits, oxygen 15.999). They are frozen: changing one changes
what old records say.
"""

from __future__ import annotations

from types import MappingProxyType

OXIDE_FACTORS = MappingProxyType(
    {
        "La": ("La2O3", 1_172_769),
        "Ce": ("CeO2", 1_228_368),
        "Pr": ("Pr6O11", 1_208_161),
        "Nd": ("Nd2O3", 1_166_377),
        "Sm": ("Sm2O3", 1_159_607),
        "Eu": ("Eu2O3", 1_157_922),
        "Gd": ("Gd2O3", 1_152_614),
        "Tb": ("Tb4O7", 1_176_172),
        "Dy": ("Dy2O3", 1_147_683),
        "Ho": ("Ho2O3", 1_145_507),
        "Er": ("Er2O3", 1_143_481),
        "Tm": ("Tm2O3", 1_142_058),
        "Yb": ("Yb2O3", 1_138_684),
        "Lu": ("Lu2O3", 1_137_160),
        "Y": ("Y2O3", 1_269_932),
        "Sc": ("Sc2O3", 1_533_823),
    }
)


def to_element_ppm(element: str, oxide_ppm: int) -> int:
    """ppm of the element in `oxide_ppm` of its oxide, rounded half up."""
    factor = OXIDE_FACTORS[element][1]
    return (oxide_ppm * 1_000_000 + factor // 2) // factor


def to_oxide_ppm(element: str, element_ppm: int) -> int:
    """ppm of the oxide that `element_ppm` of the element makes, rounded half up."""
    return (element_ppm * OXIDE_FACTORS[element][1] + 500_000) // 1_000_000
