/** Registrations as they are committed. */

import { showRegistrations } from "../registrations.js";

const ROWS = 100;

export const show = (place) => showRegistrations(place, ROWS);
