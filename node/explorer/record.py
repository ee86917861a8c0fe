"""What the page of a kilogram, package or batch shows, gathered from the node's calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger.elements import OXIDE_FACTORS
from ledger.identifiers import format_id, parse_id
from ledger.products import PRODUCTS
from node.explorer.label import Label
from node.explorer.source import Refused, Source


@dataclass(frozen=True, slots=True)
class Record:
    """A registered label: `said` is what `id.lookup` answers, `batch` what `batch.get` does."""

    label: Label
    said: dict[str, Any]
    batch: dict[str, Any]
    facility_name: str | None

    @property
    def mass_g(self) -> int:
        """Of the batch, of the kilogram, or of the package."""
        if self.label.count == 1:
            return int(self.said["mass_g"])
        before = 1000 * (self.label.identifier.serial - 1)
        return min(1000 * self.label.count, int(self.batch["net_mass_g"]) - before)

    @property
    def product_oxide(self) -> str | None:
        """The formula of a product that is a single oxide."""
        found = [o for o, _ in OXIDE_FACTORS.values() if o.lower() == self.said["product"]]
        return found[0] if found else None

    @property
    def counts_metal(self) -> bool:
        """Whether the assay counts metals; the other column is converted."""
        return PRODUCTS[self.said["product"]].kind == "TREM"

    @property
    def composition(self) -> list[dict[str, Any]]:
        """The rare earths, the largest share first."""
        rows: list[dict[str, Any]] = self.said["composition"]
        return sorted(rows, key=lambda row: -int(row["element_ppm"]))

    @property
    def impurities(self) -> list[tuple[str, int]]:
        """Everything else that was measured, in ppm of the product, the largest first."""
        found = [(str(name), int(ppm)) for name, ppm in self.batch["impurities"].items()]
        found += [
            (name, int(self.batch[key]))
            for name, key in (("Th", "th_ppm"), ("U", "u_ppm"))
            if self.batch.get(key) is not None
        ]
        return sorted(found, key=lambda each: -each[1])

    @property
    def neighbours(self) -> tuple[str | None, str | None]:
        """The IDs of the kilograms before and after this one in its batch."""
        here = self.label.identifier
        return self._kilogram(here.serial - 1), self._kilogram(here.serial + 1)

    @property
    def ends(self) -> tuple[str | None, str | None]:
        """The IDs of the batch's first and last kilogram."""
        return self._kilogram(1), self._kilogram(int(self.batch["units"]))

    @property
    def package(self) -> dict[str, Any] | None:
        """The registered package that holds this kilogram: id with count, type, mass."""
        serial = self.label.identifier.serial
        for pack in self.batch.get("packs") or ():
            if pack["first"] <= serial < pack["first"] + pack["count"]:
                first = self._kilogram(pack["first"])
                return {**pack, "label": f"{first}+{pack['count']}"}
        return None

    def _kilogram(self, serial: int) -> str | None:
        here = self.label.identifier
        if not 1 <= serial <= int(self.batch["units"]):
            return None
        return format_id(here.producer, here.batch_no, serial)


async def read_record(source: Source, label: Label) -> Record:
    """The record of a label. Raises Refused (E_NOT_REGISTERED, or the package does not fit)."""
    here = label.identifier
    said = await source.ask("id.lookup", id=here.text)
    batch = await source.ask("batch.get", id=here.text)
    if label.count > 1 and here.serial + label.count - 1 > batch["units"]:
        message = f"the batch of {here.display} ends at {batch['units']} kg: read the count again"
        raise Refused("E_NOT_REGISTERED", message)
    members = await source.ask("member.list")
    names = {
        place["id"]: place["name"]
        for member in members
        if member["code"] == said["registered_by"]
        for place in member["facilities"]
    }
    return Record(label, said, batch, names.get(said["facility"]))


def display(text: str) -> str:
    """An ID in groups, for people."""
    return parse_id(text).display
