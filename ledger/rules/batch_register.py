"""batch.register: what a payload must fulfil before state or time is looked at.

The checks run in one fixed order, so that every replica names the same first fault.
"""

from __future__ import annotations

import re
from datetime import date

from ledger.countries import COUNTRIES
from ledger.elements import OXIDE_FACTORS
from ledger.errors import InvalidTransaction
from ledger.limits import (
    CLOSURE_TOLERANCE_PPM,
    MASS_G_MAX,
    PPM,
    REE_SUM_TOLERANCE_PPM,
)
from ledger.products import PRODUCTS
from ledger.transactions import BatchRegistration

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_MS = 86_400_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_HIDEABLE = frozenset({"docs", "loi_ppm", "packs", "refs", "th_ppm", "u_ppm"})


def check_payload(payload: BatchRegistration) -> int:
    """Every rule that needs nothing but the payload. Raises InvalidTransaction.

    Gives the day of production, as `check_date` wants it.
    """
    _check_mass(payload)
    _check_assay(payload)
    _check_grade(payload)
    _check_closure(payload)
    _check_origin(payload)
    day = _produced_day(payload)
    if payload.packs is not None:
        _check_packs(payload)
    _check_hidden(payload)
    return day


def check_date(payload: BatchRegistration, day: int, block_time_ms: int) -> None:
    """produced_on (`day`) is at most a day after the block's date (UTC).

    Raises InvalidTransaction.
    """
    if day > _EPOCH_DAY + block_time_ms // _DAY_MS + 1:
        message = f"produced_on {payload.produced_on} is in the future: correct the date"
        raise InvalidTransaction("E_DATE", message, "produced_on")


def _produced_day(payload: BatchRegistration) -> int:
    text = payload.produced_on
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text).toordinal()
    except ValueError:
        pass
    raise InvalidTransaction("E_DATE", f"{text!r} is no date: write YYYY-MM-DD", "produced_on")


def _check_mass(payload: BatchRegistration) -> None:
    mass = payload.net_mass_g
    if not 0 < mass <= MASS_G_MAX:
        message = f"net_mass_g is {mass}: it must be 1 to {MASS_G_MAX} g; split a larger batch"
        raise InvalidTransaction("E_MASS", message, "net_mass_g")
    units = (mass + 999) // 1000
    if payload.units != units:
        message = f"{mass} g make {units} units (kilograms begun), not {payload.units}"
        raise InvalidTransaction("E_UNITS", message, "units")


def _check_assay(payload: BatchRegistration) -> None:
    if payload.total_ppm > PPM:
        message = f"total_ppm is {payload.total_ppm}: at most {PPM} ppm"
        raise InvalidTransaction("E_ASSAY_SUM", message, "total_ppm")
    for element in payload.ree:
        if element not in OXIDE_FACTORS:
            known = " ".join(OXIDE_FACTORS)
            reason = "promethium is not traded" if element == "Pm" else f"use one of {known}"
            message = f"{element!r} is not accepted in ree: {reason}"
            raise InvalidTransaction("E_ELEMENT", message, "ree")
    total = sum(payload.ree.values())
    if abs(total - PPM) > REE_SUM_TOLERANCE_PPM:
        message = f"ree adds up to {total} ppm of the total: it must be {PPM} ± 500"
        raise InvalidTransaction("E_ASSAY_SUM", message, "ree")


def _check_grade(payload: BatchRegistration) -> None:
    product = PRODUCTS.get(payload.product)
    if product is None:
        message = f"{payload.product!r} is not in the catalogue: use one of {' '.join(PRODUCTS)}"
        raise InvalidTransaction("E_GRADE", message, "product")
    if payload.stage != product.stage:
        message = f"{payload.product} has stage {product.stage!r}, not {payload.stage!r}"
        raise InvalidTransaction("E_GRADE", message, "stage")
    low, high = product.total
    if not low <= payload.total_ppm <= high:
        message = f"total_ppm of {payload.product} is {low} to {high}, not {payload.total_ppm}"
        raise InvalidTransaction("E_GRADE", message, "total_ppm")
    for elements, low, high in product.windows:
        share = sum(payload.ree.get(element, 0) for element in elements)
        # A sum may run over one million by the tolerance of the assay.
        if not low <= share <= high + (REE_SUM_TOLERANCE_PPM if high == PPM else 0):
            name = "+".join(elements)
            message = f"{name} of {payload.product} is {low} to {high} ppm of the total: {share}"
            raise InvalidTransaction("E_GRADE", message, "ree")


def _check_closure(payload: BatchRegistration) -> None:
    parts = payload.total_ppm + sum(payload.impurities.values()) + (payload.loi_ppm or 0)
    if parts > PPM + CLOSURE_TOLERANCE_PPM:
        message = (
            f"total_ppm, impurities and loi_ppm add up to {parts} ppm: "
            f"at most {PPM + CLOSURE_TOLERANCE_PPM}"
        )
        raise InvalidTransaction("E_CLOSURE", message, "impurities")


def _check_origin(payload: BatchRegistration) -> None:
    for origin in payload.origin:
        if origin.country not in COUNTRIES:
            message = f"{origin.country!r} is no ISO 3166-1 alpha-2 country code"
            raise InvalidTransaction("E_ORIGIN", message, "origin")
        if origin.share_ppm == 0:
            raise InvalidTransaction(
                "E_ORIGIN", "an origin without a share: leave it out", "origin"
            )
    total = sum(origin.share_ppm for origin in payload.origin)
    if total != PPM:
        message = f"the shares of origin add up to {total} ppm: they must be {PPM}"
        raise InvalidTransaction("E_ORIGIN", message, "origin")
    if payload.coc == "IP" and len(payload.origin) != 1:
        message = "IP (identity preserved) means one origin: name one, or another coc"
        raise InvalidTransaction("E_COC", message, "coc")


def _check_packs(payload: BatchRegistration) -> None:
    following = 1
    for pack in sorted(payload.packs or (), key=lambda pack: pack.first):
        if pack.first != following:
            message = f"the packs must cover each serial once: {following} expected, {pack.first}"
            raise InvalidTransaction("E_PACKS", message, "packs")
        following += pack.count
    if following != payload.units + 1:
        message = f"the packs cover serials 1 to {following - 1}, the batch has {payload.units}"
        raise InvalidTransaction("E_PACKS", message, "packs")
    mass = sum(pack.mass_g for pack in payload.packs or ())
    if mass != payload.net_mass_g:
        message = f"the packs hold {mass} g together, the batch {payload.net_mass_g} g"
        raise InvalidTransaction("E_PACKS", message, "packs")


def _check_hidden(payload: BatchRegistration) -> None:
    for name in payload.hidden or ():
        if name not in _HIDEABLE or getattr(payload, name) is not None:
            message = f"{name!r} cannot be hidden: one of {' '.join(sorted(_HIDEABLE))}, left out"
            raise InvalidTransaction("E_SCHEMA", message, "hidden")
