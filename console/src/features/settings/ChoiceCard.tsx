import { Check } from "lucide-react";
import type { ReactNode } from "react";
import { classes } from "@/shared/lib/classes";

type Props = { group: string; isChosen: boolean; onChoose: () => void; icon?: ReactNode; children: ReactNode };

/** One of a few exclusive choices, as a radio button with room around it. */
export function ChoiceCard({ group, isChosen, onChoose, icon, children }: Props) {
  return (
    <label
      className={classes(
        "flex min-h-12 cursor-pointer items-center gap-3 rounded-card border bg-s1 px-4 text-body transition-colors",
        "has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent",
        isChosen ? "border-accent font-medium text-t1" : "border-line text-t2 hover:border-line-strong",
      )}
    >
      <input type="radio" name={group} checked={isChosen} onChange={onChoose} className="sr-only" />
      {icon}
      <span className="flex-1">{children}</span>
      {isChosen && <Check aria-hidden="true" size={16} className="text-accent" />}
    </label>
  );
}
