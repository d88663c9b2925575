import {
  Bot,
  Braces,
  CalendarClock,
  CircleStop,
  Code,
  Database,
  FileSearch,
  Flag,
  GitBranch,
  Globe,
  Infinity as InfinityIcon,
  Layers,
  Library,
  ListFilter,
  type LucideIcon,
  Merge,
  MessageSquareText,
  PencilLine,
  Play,
  Plug,
  Repeat,
  Shapes,
  Sparkles,
  StickyNote,
  TextCursorInput,
  UserCheck,
  Webhook,
  Wrench,
} from "lucide-react";
import { categoryColor, categoryOf } from "./kinds";

const ICONS: Record<string, LucideIcon> = {
  start: Play,
  answer: MessageSquareText,
  end: Flag,
  "trigger-webhook": Webhook,
  "trigger-schedule": CalendarClock,
  "trigger-plugin": Plug,
  datasource: Database,
  "iteration-start": Play,
  "loop-start": Play,
  "loop-end": CircleStop,
  llm: Sparkles,
  agent: Bot,
  "question-classifier": Shapes,
  "parameter-extractor": TextCursorInput,
  "knowledge-retrieval": Library,
  "knowledge-index": Layers,
  "document-extractor": FileSearch,
  "if-else": GitBranch,
  iteration: Repeat,
  loop: InfinityIcon,
  code: Code,
  "template-transform": Braces,
  assigner: PencilLine,
  "variable-assigner": Merge,
  "variable-aggregator": Merge,
  "list-operator": ListFilter,
  "http-request": Globe,
  tool: Wrench,
  "human-input": UserCheck,
  note: StickyNote,
};

/** The coloured square with the icon of a node type. It says nothing a title beside it does not say. */
export function NodeTile({ type, size = 20 }: { type: string; size?: 16 | 20 | 24 | 28 }) {
  const Icon = ICONS[type] ?? Plug;
  return (
    <span
      aria-hidden="true"
      className="inline-grid shrink-0 place-items-center rounded-chip text-s1"
      style={{ width: size, height: size, background: categoryColor(categoryOf(type)) }}
    >
      <Icon size={Math.round(size * 0.6)} strokeWidth={2} />
    </span>
  );
}
