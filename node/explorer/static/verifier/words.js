/** What the verifier page says, in English and Chinese. */

import { LANGUAGES } from "../verify/words.js";

const WORDS = {
  title: ["Passport verifier", "护照验证"],
  subtitle: [
    "Checks a Kilochain passport on your own computer, without a network.",
    "在您自己的电脑上验证 Kilochain 护照，无需联网。",
  ],
  other_language: ["中文", "English"],
  scheme: ["Dark / light", "深色 / 浅色"],
  trust_title: ["What you trust: this genesis document", "您所信任的：此创世文件"],
  chain: ["Chain", "链"],
  replaced: ["replaced by your file", "已由您的文件替换"],
  trust_advice: [
    "Compare this digest with the one that you have from the consortium by another way: on paper, " +
      "by telephone, from a member's contract. If it differs, everything below is worthless. Drop " +
      "another genesis.json to trust that one instead.",
    "请将此摘要与您通过其他途径（书面、电话、合同）从联盟获得的摘要核对。如不一致，以下一切均无意义。" +
      "拖入另一份 genesis.json 即改为信任该文件。",
  ],
  give_title: ["The passport", "护照"],
  drop: ["Drop passports here", "将护照文件拖到此处"],
  drop_more: ["or choose files; they stay on this computer", "或选择文件；文件不会离开本机"],
  paste_title: ["Paste the text of a passport instead", "改为粘贴护照文本"],
  verify: ["Verify", "验证"],
  good_registered: ["Proven: registered", "已证明：已登记"],
  good_not_registered: ["Proven: not registered", "已证明：未登记"],
  bad: ["Nothing is proven", "未证明任何内容"],
  bad_advice: [
    "Do not rely on this file. Ask for a fresh passport, or ask another node for one.",
    "请勿依赖此文件。请索取新的护照，或向另一节点索取。",
  ],
  proven: ["What is proven", "已证明"],
  not_proven: ["What is not proven", "未证明"],
  steps: ["The steps", "步骤"],
  record: ["The record", "记录"],
  used: ["Cryptography", "密码算法"],
  crypto_WebCrypto: ["this browser's own (WebCrypto)", "浏览器自带（WebCrypto）"],
  crypto_noble: ["the vendored noble libraries", "附带的 noble 库"],
  too_many: ["At most {most} files at once.", "一次最多 {most} 个文件。"],
  pasted: ["pasted text", "粘贴的文本"],
  genesis_bad: ["This is no genesis document: {why}", "不是创世文件：{why}"],
  field_batch: ["Batch", "批次"],
  field_mass: ["Mass", "质量"],
  field_units: ["Kilograms in the batch", "批次公斤数"],
  field_product: ["Product", "产品"],
  field_registered_by: ["Registered by", "登记方"],
  field_time: ["At", "时间"],
  field_produced: ["Produced on", "生产日期"],
  field_total: ["Rare earths", "稀土含量"],
  field_origin: ["Origin", "来源"],
  field_payload: ["Everything that was registered", "全部登记内容"],
  step_format: ["form", "格式"],
  step_genesis: ["genesis", "创世"],
  step_identity: ["ID", "编号"],
  step_validators: ["validators", "验证者"],
  step_agreement: ["agreement", "共识"],
  step_inclusion: ["inclusion", "包含"],
  step_signature: ["signature", "签名"],
  step_member: ["member", "成员"],
  step_record: ["record", "记录"],
  step_state: ["state", "状态"],
  honest_title: ["What this page can and cannot do", "本页能做与不能做的"],
  honest_script: [
    "A page shows what its author wants. If the node that gave it to you lies, so can this page. " +
      "It proves something only if you trust where you have the page and the digest from.",
    "网页显示其作者想显示的内容。若提供本页的节点作假，本页也可能作假。只有当您信任本页与摘要的来源时，其结果才有意义。",
  ],
  honest_save: [
    "Save it once, from a node that you trust, and use that file from then on. Nodes of one chain " +
      "and version give the same file, byte by byte: compare its SHA-256 with what others have, or " +
      "with that of kilochain verifier --genesis genesis.json -o verifier.html.",
    "请从您信任的节点保存一次，此后使用该文件。同一链、同一版本的节点给出的文件逐字节相同：可将其 SHA-256 与他人的" +
      "核对，或与 kilochain verifier --genesis genesis.json -o verifier.html 的结果核对。",
  ],
  honest_network: [
    "It forbids itself every connection; nothing that you drop here leaves your computer.",
    "本页禁止自身的一切网络连接；您拖入的内容不会离开您的电脑。",
  ],
  honest_other: [
    "For a second opinion: kilochain verify FILE --genesis genesis.json, which shares no code with this page.",
    "如需另一独立结论：kilochain verify FILE --genesis genesis.json，其与本页没有共用代码。",
  ],
  save: ["Save this page", "保存本页"],
  licences: [
    "With noble-ed25519 and noble-hashes (MIT, © Paul Miller).",
    "含 noble-ed25519 与 noble-hashes（MIT，© Paul Miller）。",
  ],
};

/** The sentence of `code` in `language`, its gaps filled from `values`. */
export function pageSays(language, code, values = {}) {
  const text = WORDS[code][LANGUAGES.indexOf(language)];
  return text.replace(/\{(\w+)\}/g, (gap, name) => String(values[name] ?? gap));
}

/** Codes of the page's sentences. */
export const PAGE_CODES = Object.keys(WORDS);
