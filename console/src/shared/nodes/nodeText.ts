import { isTextKey, type Text } from "@/shared/i18n";

/** The translated name of a node type; a type we do not know is shown as the file spells it. */
export function typeName(t: Text, type: string): string {
  const key = `nodes.types.${type}`;
  return isTextKey(key) ? t(key) : type;
}

/** The translated state of a run or a node. */
export function statusName(t: Text, status: string): string {
  const key = `nodes.status.${status}`;
  return isTextKey(key) ? t(key) : status;
}
