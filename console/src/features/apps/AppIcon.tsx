import { Bot, FileText, MessageSquareText, MessagesSquare, Workflow } from "lucide-react";
import { classes } from "@/shared/lib/classes";
import { drawsEmoji } from "@/shared/lib/emoji";

const SIZES = {
  small: { tile: "size-7 rounded-control text-body", icon: 16 },
  normal: { tile: "size-10 rounded-card text-title", icon: 20 },
};
const EMOJI = /\p{Extended_Pictographic}|\p{Regional_Indicator}/u;

type Props = { icon: string; mode: string; size?: keyof typeof SIZES };

/** An app's own emoji or, without one, a sign of its kind. Decorative: the name stands beside it. */
export function AppIcon({ icon, mode, size = "normal" }: Props) {
  const Sign = signOf(mode);
  return (
    <span
      aria-hidden="true"
      className={classes(
        "flex shrink-0 items-center justify-center bg-accent-soft text-accent select-none",
        SIZES[size].tile,
      )}
    >
      {EMOJI.test(icon) && drawsEmoji() ? icon : <Sign size={SIZES[size].icon} strokeWidth={1.75} />}
    </span>
  );
}

function signOf(mode: string) {
  if (mode === "workflow") return Workflow;
  if (mode === "completion") return FileText;
  if (mode === "agent-chat" || mode === "agent") return Bot;
  return mode === "chat" ? MessageSquareText : MessagesSquare;
}
