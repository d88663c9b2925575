import { Switch as Base } from "@base-ui/react/switch";
import { useFieldIds } from "./Field";

type Props = { isOn: boolean; onChange: (isOn: boolean) => void; label?: string; isDisabled?: boolean };

export function Switch({ isOn, onChange, label, isDisabled = false }: Props) {
  const field = useFieldIds();
  return (
    <Base.Root
      id={field?.id}
      aria-label={label}
      aria-describedby={field?.describedBy}
      checked={isOn}
      disabled={isDisabled}
      onCheckedChange={onChange}
      className="inline-flex h-6 w-10 shrink-0 items-center rounded-full border border-line-strong bg-s2 p-0.5 transition-colors data-checked:border-accent data-checked:bg-accent data-disabled:opacity-50"
    >
      <Base.Thumb className="size-4.5 rounded-full bg-line-strong transition-transform data-checked:translate-x-4 data-checked:bg-on-accent" />
    </Base.Root>
  );
}
