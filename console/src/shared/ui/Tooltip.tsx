import { Tooltip as Base } from "@base-ui/react/tooltip";
import type { ReactElement } from "react";

type Props = {
  text: string;
  side?: "top" | "right" | "bottom" | "left";
  children: ReactElement<Record<string, unknown>>;
};

/** Adds a hint to one focusable element. The hint repeats what the element's name says or adds to it; it is never the only source. */
export function Tooltip({ text, side = "top", children }: Props) {
  return (
    <Base.Root>
      <Base.Trigger delay={400} render={children} />
      <Base.Portal>
        <Base.Positioner side={side} sideOffset={6} className="z-popover">
          <Base.Popup className="max-w-72 rounded-control bg-t1 px-2 py-1 text-label text-s1">{text}</Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
