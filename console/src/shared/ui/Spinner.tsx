import { LoaderCircle } from "lucide-react";

/** Decorative: the element that is busy says so itself. */
export function Spinner({ size = 16 }: { size?: number }) {
  return <LoaderCircle aria-hidden="true" size={size} className="animate-spin" />;
}
