/**
 * The drawer of the run, fetched when it is opened for the first time: few people need it, and rarely.
 */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Model } from '../model/model.ts';

type Panel = ComponentType<{ model: Model }>;

export function LazyRunPanel({ model }: { model: Model }) {
  const [fetched, setFetched] = useState<{ readonly Panel: Panel } | null>(null);
  const [trouble, setTrouble] = useState('');
  useEffect(() => {
    import('./run-panel.tsx').then(
      ({ RunPanel }) => setFetched({ Panel: RunPanel }),
      () => setTrouble('This part of the page could not be fetched: reload the page.'),
    );
  }, []);
  if (fetched !== null) return <fetched.Panel model={model} />;
  return (
    <>
      <h2>Run</h2>
      <p class="quiet">{trouble}</p>
    </>
  );
}
