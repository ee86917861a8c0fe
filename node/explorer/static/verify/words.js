/** What the verifier says, in English and Chinese. {names} are filled in. */

export const LANGUAGES = ["en", "zh"];

const WORDS = {
  // Steps that hold.
  format: ["The file has the form of a passport, version 1.", "文件符合护照格式（第 1 版）。"],
  genesis: [
    "It belongs to the chain {chain}, whose genesis document you trust.",
    "护照属于链 {chain}，其创世文件是您所信任的那一份。",
  ],
  identity: ["The ID {id} is well formed; its check characters fit.", "编号 {id} 格式正确，校验字符相符。"],
  validators_same: [
    "The validators are the {n} of the genesis document.",
    "验证者即创世文件所列的 {n} 个。",
  ],
  validators_changed: [
    "Each change of the validators ({count} so far) was agreed on by those before it.",
    "验证者共变更 {count} 次，每次都由变更前的验证者同意。",
  ],
  agreement: [
    "A quorum agreed on each block: {blocks}.",
    "每个区块都得到法定多数同意：{blocks}。",
  ],
  agreement_block: ["block {height}, {count} of {n} signed", "区块 {height}，{n} 个中有 {count} 个签名"],
  inclusion: [
    "The registration stands in block {height} at place {index}.",
    "登记位于区块 {height} 的第 {index} 位。",
  ],
  signature: [
    "The registration is signed, for this chain, by the key {key}.",
    "登记由密钥 {key} 为本链签名。",
  ],
  member: [
    "The key belongs to {name} ({code}), which may register there.",
    "该密钥属于 {name}（{code}），其有权在该设施登记。",
  ],
  record: [
    "The record says what was registered: batch {batch}, {units} kilograms.",
    "记录与登记一致：批次 {batch}，共 {units} 公斤。",
  ],
  state_present: [
    "At height {height} the chain's state holds this registration.",
    "在高度 {height}，链上状态含有此登记。",
  ],
  state_absent: [
    "At height {height} the chain's state holds no such batch.",
    "在高度 {height}，链上状态没有这一批次。",
  ],

  // Steps that fail.
  form_size: ["It is longer than {most} bytes.", "文件超过 {most} 字节。"],
  form_json: ["It is not JSON as a passport is: {why}.", "不是护照所用的 JSON：{why}。"],
  form_object: ["{at} must be an object.", "{at} 应为对象。"],
  form_missing: ["{at} is missing.", "缺少 {at}。"],
  form_unknown: ["{at} does not belong in a passport.", "{at} 不属于护照。"],
  form_list: ["{at} must be a list of at most {most}.", "{at} 应为列表，最多 {most} 项。"],
  form_text: ["{at} must be text.", "{at} 应为文本。"],
  form_number: ["{at} must be an integer from 0.", "{at} 应为不小于 0 的整数。"],
  form_hex: ["{at} must be {digits} lower-case hex digits.", "{at} 应为 {digits} 位小写十六进制数字。"],
  form_base64: ["{at} must be padded base64.", "{at} 应为带填充的 base64。"],
  form_version: ["Only version 1 is known.", "仅支持第 1 版。"],
  form_claim: ["The claim is neither registered nor not_registered.", "声明既非 registered 也非 not_registered。"],
  form_id: ["id must be 18 characters.", "id 应为 18 个字符。"],
  form_record: [
    "A record and a registration come together or not at all.",
    "record 与 registration 须同时出现或同时省略。",
  ],
  form_no_registration: ["It claims a registration and has none.", "声明已登记，却没有登记内容。"],
  form_no_absence: ["It claims an absence and shows none.", "声明未登记，却没有相应证明。"],
  form_value_and_other: [
    "{at} has both a value and another entry in its place.",
    "{at} 既有值，又有占其位置的另一条目。",
  ],
  genesis_size: ["The genesis document is missing or too long.", "创世文件缺失或过长。"],
  genesis_unreadable: ["The genesis document cannot be read: {why}.", "无法读取创世文件：{why}。"],
  genesis_other: [
    "It is of another chain: its genesis is {wanted}, yours is {found}.",
    "属于另一条链：其创世摘要为 {wanted}，您的为 {found}。",
  ],
  chain_other: ["Its chain ID is not {chain}.", "其链标识不是 {chain}。"],
  id_form: ["The ID is not in its canonical form.", "编号不是规范写法。"],
  id_check: ["The check characters of the ID do not fit.", "编号的校验字符不相符。"],
  header_form: ["A block header is malformed: {why}.", "区块头格式错误：{why}。"],
  header_chain: ["The block {height} is of another chain.", "区块 {height} 属于另一条链。"],
  block_validators: [
    "Block {height} names other validators than were in force.",
    "区块 {height} 所指的验证者不是当时有效的验证者。",
  ],
  votes_count: [
    "Block {height} has {count} votes; {q} to {n} are needed.",
    "区块 {height} 有 {count} 票；需要 {q} 至 {n} 票。",
  ],
  votes_order: [
    "The votes on block {height} are out of order or name nobody, at {replica}.",
    "区块 {height} 的投票次序错误或无此投票人（{replica}）。",
  ],
  votes_signature: [
    "The vote of {name} on block {height} is not signed by its key.",
    "{name} 对区块 {height} 的投票不是其密钥所签。",
  ],
  change_order: ["The change in block {height} is out of order.", "区块 {height} 的变更次序错误。"],
  change_keys: [
    "The validators listed for block {height} are none, or a key stands there twice.",
    "区块 {height} 所列的验证者为空，或有密钥重复。",
  ],
  change_set: [
    "The validators listed are not those that block {height} brings in.",
    "所列验证者不是区块 {height} 所引入的。",
  ],
  change_none: ["Block {height} changes no validator.", "区块 {height} 并未变更验证者。"],
  inclusion_path: [
    "The path does not lead from the registration to block {height}.",
    "路径不能从登记到达区块 {height}。",
  ],
  transaction_form: ["The registration is malformed: {why}.", "登记格式错误：{why}。"],
  transaction_chain: ["The registration was signed for another chain.", "登记是为另一条链签名的。"],
  transaction_signature: [
    "The registration is not signed by its key {key}.",
    "登记不是其密钥 {key} 所签。",
  ],
  member_unknown: ["{code} is no active member.", "{code} 不是有效成员。"],
  member_key: ["The key is no active key of {code}.", "该密钥不是 {code} 的有效密钥。"],
  member_facility: [
    "The key may not sign for the facility {facility}, or it is not {code}'s.",
    "该密钥无权为设施 {facility} 签名，或该设施不属于 {code}。",
  ],
  member_role: ["{code} is neither producer nor refiner.", "{code} 既非生产商也非精炼商。"],
  record_batch: ["The registration is of the batch {batch}.", "登记的是批次 {batch}。"],
  record_serial: [
    "Serial {serial} of {units} kilograms contradicts the claim.",
    "序号 {serial}（共 {units} 公斤）与声明矛盾。",
  ],
  record_differs: ["record.{name} is not what was registered.", "record.{name} 与登记不符。"],
  state_other: [
    "The entry shown in the batch's place does not stand there.",
    "所示条目并不占据该批次的位置。",
  ],
  state_root: ["The siblings do not lead to the state root.", "兄弟节点不能到达状态根。"],
  state_value: [
    "The state's entry is not this registration.",
    "状态中的条目不是此登记。",
  ],
  state_height: [
    "The state is older than the registration.",
    "状态早于该登记。",
  ],
  crypto_missing: ["No cryptography works here: {why}.", "此处没有可用的密码算法：{why}。"],
  broken: ["The verifier stopped: {why}.", "验证程序中止：{why}。"],

  // What is proven.
  proven_kilogram: [
    "{name} ({code}) registered {id}, kilogram {serial} of {units} of the batch {batch}, {mass} g.",
    "{name}（{code}）登记了 {id}：批次 {batch} 的第 {serial}/{units} 公斤，{mass} 克。",
  ],
  proven_batch: [
    "{name} ({code}) registered the batch {id}: {units} kilograms, {mass} g.",
    "{name}（{code}）登记了批次 {id}：共 {units} 公斤，{mass} 克。",
  ],
  proven_block: [
    "The validators agreed on it in block {height}, at {time}; nobody can change it there.",
    "验证者在区块 {height}（{time}）对此达成一致，任何人都不能更改。",
  ],
  proven_state: [
    "It was still the chain's entry for this batch at height {height}, at {time}.",
    "在高度 {height}（{time}），它仍是链上该批次的条目。",
  ],
  proven_absent: [
    "Up to height {height}, at {time}, {code} had not registered a batch with this number; {id} did not exist.",
    "截至高度 {height}（{time}），{code} 未登记过此编号的批次；{id} 不存在。",
  ],
  proven_above: [
    "The batch {batch} has {units} kilograms, so {id} (number {serial}) does not exist and never will.",
    "批次 {batch} 共 {units} 公斤，因此 {id}（第 {serial}）不存在，将来也不会存在。",
  ],

  // What is not.
  not_assay: ["That the assay is true.", "化验结果属实。"],
  not_drum: ["That the drum holds what its label says.", "桶内物品与标签相符。"],
  not_unique: ["That this ID is on only one drum.", "此编号只出现在一个桶上。"],
  not_since: [
    "Anything about the time after the registration.",
    "登记之后的任何情况。",
  ],
  not_since_state: [
    "Anything about the time after height {height}.",
    "高度 {height} 之后的任何情况。",
  ],
};

/** The sentence of `code` in `language` ("en" or "zh"), its gaps filled from `values`. */
export function say(language, code, values = {}) {
  const text = WORDS[code][LANGUAGES.indexOf(language)];
  return text.replace(/\{(\w+)\}/g, (gap, name) => String(values[name] ?? gap));
}

/** The codes that have sentences. */
export const CODES = Object.keys(WORDS);
