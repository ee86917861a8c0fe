/** Reading a label's code with the camera, where the browser has a detector of its own. */

import { h } from "./dom.js";
import { t } from "./i18n.js";

const FORMATS = ["qr_code", "data_matrix"];
const LOOK_EVERY_MS = 200;

/** Whether this browser can read codes, and may use a camera on this page. */
export async function canScan() {
  if (!("BarcodeDetector" in globalThis) || !navigator.mediaDevices) return false;
  const formats = await BarcodeDetector.getSupportedFormats();
  return FORMATS.some((each) => formats.includes(each));
}

/** Show what the camera sees until it sees a label; then go to its page. */
export async function openScanner() {
  const video = h("video", { playsinline: true, muted: true });
  const says = h("p", { role: "status" }, t("scan.point"));
  const close = h("button", { type: "button", onclick: () => dialog.close() }, t("scan.close"));
  const dialog = h("dialog", { "aria-label": t("find.scan") }, says, video, close);
  document.body.append(dialog);
  dialog.showModal();
  let stream = null;
  dialog.addEventListener("close", () => {
    stream?.getTracks().forEach((track) => track.stop());
    dialog.remove();
  });
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    if (!dialog.open) stream.getTracks().forEach((track) => track.stop());
    video.srcObject = stream;
    await video.play();
    await watch(dialog, video);
  } catch (error) {
    says.textContent = error.name === "NotAllowedError" ? t("scan.denied") : t("scan.failed");
  }
}

async function watch(dialog, video) {
  const supported = await BarcodeDetector.getSupportedFormats();
  const detector = new BarcodeDetector({ formats: FORMATS.filter((f) => supported.includes(f)) });
  while (dialog.open) {
    const [found] = await detector.detect(video);
    if (found) {
      location.assign(`/find?q=${encodeURIComponent(found.rawValue)}`);
      return;
    }
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
  }
}
