/** What a node type belongs to. The colour of its tile says the category; its icon and name say the type. */
export type Category = "io" | "model" | "knowledge" | "logic" | "data" | "integration" | "human" | "note";

const CATEGORY_OF: Record<string, Category> = {
  start: "io",
  answer: "io",
  end: "io",
  "trigger-webhook": "io",
  "trigger-schedule": "io",
  "trigger-plugin": "io",
  datasource: "io",
  "iteration-start": "io",
  "loop-start": "io",
  "loop-end": "io",
  llm: "model",
  agent: "model",
  "question-classifier": "model",
  "parameter-extractor": "model",
  "knowledge-retrieval": "knowledge",
  "knowledge-index": "knowledge",
  "document-extractor": "knowledge",
  "if-else": "logic",
  iteration: "logic",
  loop: "logic",
  code: "data",
  "template-transform": "data",
  assigner: "data",
  "variable-assigner": "data",
  "variable-aggregator": "data",
  "list-operator": "data",
  "http-request": "integration",
  tool: "integration",
  "human-input": "human",
  note: "note",
};

/** The category of a node type; what we do not know came from outside and counts as an integration. */
export function categoryOf(type: string): Category {
  return CATEGORY_OF[type] ?? "integration";
}

/** Types that have a translated name under `studio.types`. */
export function isKnownType(type: string): boolean {
  return type in CATEGORY_OF;
}

export const knownTypes: readonly string[] = Object.keys(CATEGORY_OF);

/** The CSS variable of a category's colour. */
export function categoryColor(category: Category): string {
  return `var(--node-${category})`;
}
