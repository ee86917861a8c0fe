"""What stands on labels: the packages of a batch, each with its first ID, count, and mass."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.errors import InvalidIdentifier
from ledger.identifiers import RegistryId, format_id, parse_id
from ledger.limits import UNITS_MAX
from node.labels.errors import LabelError
from node.labels.limits import LABELS_MAX, PACK_KG_DEFAULT

GRAMS = 1000  # of one kilogram
SUFFIXES = (".pdf", ".svg", ".png")  # of files with labels
Tick = Callable[[int], None]
_ADDRESS = re.compile(r"https?://[^/\s]+/k/([^/?#\s]+)", re.IGNORECASE)
_COUNT = re.compile(r"[1-9][0-9]{0,6}")


@dataclass(frozen=True, slots=True)
class Pack:
    """A package: `count` kilograms from serial `first` on, `mass_g` grams together."""

    first: int
    count: int
    mass_g: int
    sscc: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What labels need of a batch. `packs`: as registered, which may be none."""

    producer: str
    batch_no: int
    units: int
    net_mass_g: int
    product: str
    produced_on: str
    producer_name: str
    packs: tuple[Pack, ...] = ()

    def mass_g(self, first: int, count: int) -> int:
        """Grams of `count` kilograms from `first` on: 1000 each, and what remains in the last."""
        full = count * GRAMS
        if first + count - 1 < self.units:
            return full
        return full - (self.units * GRAMS - self.net_mass_g)


@dataclass(frozen=True, slots=True)
class Label:
    """One label. `number` of `of` packages of this size; `of` is 0 for a package on its own."""

    batch: Batch
    pack: Pack
    number: int
    of: int

    @property
    def identifier(self) -> RegistryId:
        """The ID of the first kilogram."""
        return parse_id(format_id(self.batch.producer, self.batch.batch_no, self.pack.first))

    @property
    def batch_id(self) -> str:
        """The ID of the whole batch."""
        return format_id(self.batch.producer, self.batch.batch_no, 0)

    @property
    def suffix(self) -> str:
        """`+count` of a package of several kilograms."""
        return f"+{self.pack.count}" if self.pack.count > 1 else ""

    def code_text(self, domain: str | None) -> str:
        """What the code holds: an address below `domain`, or the ID alone."""
        text = self.identifier.text + self.suffix
        return text if domain is None else f"HTTPS://{domain.upper()}/K/{text}"


@dataclass(frozen=True, slots=True)
class Style:
    """How labels look. `sheet`: "a4" or "roll"; `code`: "qr" or "datamatrix"."""

    sheet: str
    code: str
    domain: str | None
    cut_marks: bool


@dataclass(frozen=True, slots=True)
class Written:
    """The files that were written, and characters that they do not show as they are."""

    files: tuple[Path, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of which ID labels are wanted; `count` is None where none was given."""

    identifier: RegistryId
    count: int | None


def parse_wanted(text: str) -> Wanted:
    """An ID as typed, with or without a count after `+`, or what a label's code holds.

    Raises InvalidIdentifier (E_ID, E_CHECK).
    """
    found = _ADDRESS.fullmatch(text.strip())
    stem, plus, count = (found[1] if found else text).strip().partition("+")
    identifier = parse_id(stem.strip())
    if not plus:
        return Wanted(identifier, None)
    if not _COUNT.fullmatch(count) or not identifier.serial:
        raise InvalidIdentifier("E_ID", f"{text!r}: a package is a kilogram's ID, + and how many")
    return Wanted(identifier, int(count))


def batch_of(member: str, payload: Mapping[str, Any], producer_name: str) -> Batch:
    """A batch from its registered payload in JSON form. Raises LabelError."""
    try:
        packs = tuple(
            Pack(_whole(p["first"]), _whole(p["count"]), _whole(p["mass_g"]), p.get("sscc"))
            for p in payload.get("packs") or ()
        )
        found = Batch(
            producer=member,
            batch_no=_whole(payload["batch_no"]),
            units=_whole(payload["units"]),
            net_mass_g=_whole(payload["net_mass_g"]),
            product=str(payload["product"]),
            produced_on=str(payload["produced_on"]),
            producer_name=producer_name,
            packs=packs,
        )
        format_id(found.producer, found.batch_no, found.units)
    except (KeyError, TypeError, ValueError, InvalidIdentifier) as error:
        raise LabelError(f"not the record of a batch ({error!r})") from None
    return found


def _whole(value: object) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"{value!r} is no number of grams, kilograms or packages")
    return value


def labels_of(
    batch: Batch,
    wanted: Wanted,
    pack_kg: int | None,
    selection: tuple[int, int] | None,
) -> list[Label]:
    """The labels of what is wanted, in the order of their serials. Raises LabelError.

    `pack_kg`: kilograms in a package; None follows the registered packages where there are any.
    `selection`: only these, counted from 1, both ends included.
    """
    serial = wanted.identifier.serial
    if serial:
        return [_single(batch, serial, wanted.count or pack_kg or 1)]
    if pack_kg is None and batch.packs:
        chosen: Sequence[Pack] = sorted(batch.packs, key=lambda pack: pack.first)
        first, last = _bounds(len(chosen), selection)
        return [Label(batch, chosen[i - 1], i, len(chosen)) for i in range(first, last + 1)]
    size = pack_kg or PACK_KG_DEFAULT
    of = -(-batch.units // size)
    first, last = _bounds(of, selection)
    return [
        Label(batch, _cut(batch, 1 + (i - 1) * size, size), i, of) for i in range(first, last + 1)
    ]


def _single(batch: Batch, first: int, count: int) -> Label:
    if first > batch.units or (count > 1 and first + count - 1 > UNITS_MAX):
        raise LabelError(f"the batch has {batch.units} kilograms, none with the number {first}")
    if first + count - 1 > batch.units:
        most = batch.units - first + 1
        raise LabelError(
            f"from this ID on the batch has only {most} kilograms: give +{most} or less"
        )
    return Label(batch, _cut(batch, first, count), 1, 0)


def _cut(batch: Batch, first: int, size: int) -> Pack:
    count = min(size, batch.units - first + 1)
    return Pack(first, count, batch.mass_g(first, count))


def _bounds(of: int, selection: tuple[int, int] | None) -> tuple[int, int]:
    first, last = selection or (1, of)
    if first > of:
        raise LabelError(f"there are {of} labels, none with the number {first}")
    last = min(last, of)
    if last - first + 1 > LABELS_MAX:
        raise LabelError(
            f"{last - first + 1} labels, at most {LABELS_MAX} in one run: take larger packages "
            f"with --pack, or a part of them with --labels 1-{LABELS_MAX}"
        )
    return first, last


def mass_text(mass_g: int) -> str:
    """Kilograms exactly, without needless zeros: 25 kg, 24.5 kg, 0.125 kg."""
    whole, rest = divmod(mass_g, GRAMS)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".") + " kg"


# What a label calls a product of the catalogue: its name, and its formula where it is one oxide.
PRODUCT_NAMES: Mapping[str, tuple[str, str]] = {
    "ree-concentrate": ("Rare-earth concentrate", ""),
    "ree-carbonate": ("Rare-earth carbonate", ""),
    "la2o3": ("Lanthanum oxide", "La2O3"),
    "ceo2": ("Cerium oxide", "CeO2"),
    "pr6o11": ("Praseodymium oxide", "Pr6O11"),
    "nd2o3": ("Neodymium oxide", "Nd2O3"),
    "sm2o3": ("Samarium oxide", "Sm2O3"),
    "eu2o3": ("Europium oxide", "Eu2O3"),
    "gd2o3": ("Gadolinium oxide", "Gd2O3"),
    "tb4o7": ("Terbium oxide", "Tb4O7"),
    "dy2o3": ("Dysprosium oxide", "Dy2O3"),
    "er2o3": ("Erbium oxide", "Er2O3"),
    "y2o3": ("Yttrium oxide", "Y2O3"),
    "prnd-oxide": ("Praseodymium-neodymium oxide", ""),
    "la-metal": ("Lanthanum metal", ""),
    "nd-metal": ("Neodymium metal", ""),
    "tb-metal": ("Terbium metal", ""),
    "dy-metal": ("Dysprosium metal", ""),
    "prnd-metal": ("Praseodymium-neodymium metal", ""),
    "prnd-dy-alloy": ("Praseodymium-neodymium-dysprosium alloy", ""),
    "dy-fe": ("Dysprosium-iron alloy", ""),
    "mischmetal": ("Mischmetal", ""),
    "magnet-scrap": ("Magnet scrap", ""),
}
