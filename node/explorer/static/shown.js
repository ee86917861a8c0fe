/** Whether a record's page shows what the producer signed, by the numbers in the page itself. */

const MILLION = 1_000_000;

/**
 * What the page shows otherwise than the passport's record, by name; empty if nothing.
 * `article`: the record's element. A passport's record is the signed one only if it verifies.
 */
export function differences(article, passport) {
  const { payload, registered_by: member, mass_g: mass } = passport.record;
  const { product, produced, facility, coc, producer, grams, first, count } = article.dataset;
  const expected = Number(count) > 1
    ? Math.min(1000 * Number(count), payload.net_mass_g - 1000 * (Number(first) - 1))
    : mass;
  const same = {
    product: product === payload.product,
    produced: produced === payload.produced_on,
    facility: facility === payload.facility,
    custody: coc === payload.coc,
    producer: producer === member,
    mass: Number(grams) === expected,
    origin: isSame(origins(article), payload.origin.map((each) =>
      [each.country, each.share_ppm, each.site ?? "", each.ore ?? ""])),
    composition: isSame(earths(article), signedEarths(payload)),
    impurities: isSame(others(article), signedOthers(payload)),
  };
  return Object.keys(same).filter((name) => !same[name]);
}

const isSame = (shown, signed) =>
  JSON.stringify(shown.map(String).sort()) === JSON.stringify(signed.map(String).sort());

const origins = (article) => [...article.querySelectorAll("[data-share]")].map(({ dataset }) =>
  [dataset.origin, Number(dataset.share), dataset.site, dataset.ore]);

function earths(article) {
  const counted = article.querySelector("[data-counts]").dataset.counts;
  return [...article.querySelectorAll("[data-element]")].map(({ dataset }) =>
    [dataset.element, Number(dataset[`${counted}Ppm`])]);
}

/** Shares of the product, rounded half up as the ledger does. */
const signedEarths = ({ ree, total_ppm: total }) => Object.entries(ree).map(([element, share]) =>
  [element, Math.floor((share * total + MILLION / 2) / MILLION)]);

function others(article) {
  const loi = article.querySelector("[data-loi]").dataset.loi;
  const rows = [...article.querySelectorAll("[data-substance]")].map(({ dataset }) =>
    [dataset.substance, Number(dataset.ppm)]);
  return loi === "" ? rows : [...rows, ["", Number(loi)]];
}

function signedOthers(payload) {
  const beside = [["Th", payload.th_ppm], ["U", payload.u_ppm], ["", payload.loi_ppm]];
  return [...Object.entries(payload.impurities), ...beside.filter(([, ppm]) => ppm !== undefined)];
}
