/**
 * One of a few named values.
 */
import type { Signal } from '@preact/signals';

interface ChoiceProps<T extends string | number | null> {
  readonly label: string;
  readonly value: Signal<T>;
  readonly options: readonly (readonly [value: T, text: string])[];
  readonly onChosen?: () => void;
}

export function Choice<T extends string | number | null>({
  label,
  value,
  options,
  onChosen,
}: ChoiceProps<T>) {
  const isListed = options.some(([name]) => name === value.value);
  return (
    <label class="choice">
      <span class="choice-label">{label}</span>
      <select
        value={String(value.value)}
        onChange={(event) => {
          const chosen = options.find(([name]) => String(name) === event.currentTarget.value);
          if (chosen === undefined) return;
          value.value = chosen[0];
          onChosen?.();
        }}
      >
        {!isListed && <option value={String(value.value)}>{String(value.value)}</option>}
        {options.map(([name, text]) => (
          <option key={String(name)} value={String(name)}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
