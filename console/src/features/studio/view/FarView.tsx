import { useStore } from "@xyflow/react";
import { type RefObject, useEffect } from "react";

const FAR_ZOOM = 0.4;

/** Marks the canvas when it is seen from afar. It renders only when that changes, and no node renders at all. */
export function FarView({ canvas }: { canvas: RefObject<HTMLElement | null> }) {
  const isFar = useStore((state) => state.transform[2] < FAR_ZOOM);
  useEffect(() => {
    canvas.current?.setAttribute("data-far", String(isFar));
  }, [canvas, isFar]);
  return null;
}
