import { Switch } from "./Switch";

type Props = { label: string; help?: string; isOn: boolean; onChange: (isOn: boolean) => void; isDisabled?: boolean };

/** A setting that is on or off: its words at the left, the switch at the right. */
export function SwitchRow({ label, help, isOn, onChange, isDisabled = false }: Props) {
  return (
    <div className="flex items-center justify-between gap-6">
      <div className="min-w-0">
        <p className="text-body font-medium text-t1">{label}</p>
        {help && <p className="text-dense text-t2">{help}</p>}
      </div>
      <Switch label={label} isOn={isOn} onChange={onChange} isDisabled={isDisabled} />
    </div>
  );
}
