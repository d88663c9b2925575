import { Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Input } from "./Input";

type Props = { label: string; value: string; onSearch: (value: string) => void };

/** Reports what was typed after 250 ms of quiet, and never in the middle of a composition. */
export function SearchInput({ label, value, onSearch }: Props) {
  const [typed, setTyped] = useState(value);
  const isComposing = useRef(false);
  const report = useRef(onSearch);
  report.current = onSearch;
  useEffect(() => {
    if (typed === value || isComposing.current) return;
    const timer = setTimeout(() => report.current(typed.trim()), 250);
    return () => clearTimeout(timer);
  }, [typed, value]);
  return (
    <div className="relative w-64 max-w-full">
      <Search aria-hidden="true" size={16} className="pointer-events-none absolute start-2.5 top-2 text-t3" />
      <Input
        type="search"
        aria-label={label}
        placeholder={label}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onCompositionStart={() => {
          isComposing.current = true;
        }}
        onCompositionEnd={(event) => {
          isComposing.current = false;
          setTyped(`${event.currentTarget.value}`);
          report.current(event.currentTarget.value.trim());
        }}
        className="ps-8"
      />
    </div>
  );
}
