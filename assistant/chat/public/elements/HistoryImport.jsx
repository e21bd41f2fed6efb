import React, { useEffect, useRef } from 'react';
import { Heart, X, Undo2, ChevronDown } from 'lucide-react';

const { keep, mark, reveal, useKept, history } = window.Reelwise;

const SITES = { letterboxd: 'Letterboxd', imdb: 'IMDb', trakt: 'Trakt' };
const films = (count) => `${count.toLocaleString('en')} ${count === 1 ? 'film' : 'films'}`;

function Listed({ title, total, children }) {
  if (!total) return null;
  return (
    <details>
      <summary><span>{title}</span><ChevronDown aria-hidden="true" /></summary>
      <ul aria-label={title}>{children}</ul>
      {total > children.length && <p className="rw-quiet">and {films(total - children.length)} more</p>}
    </details>
  );
}

function Matched({ title, year, direction, named, score }) {
  const liked = direction === 'like';
  return (
    <li>
      <span className={`rw-said rw-said-${direction}`}>{liked ? <Heart aria-hidden="true" /> : <X aria-hidden="true" />}<span className="rw-sr">{liked ? 'Like' : 'Not for you'}</span></span>
      <span>{title} {year && `(${year})`}{score < 1 && <small className="rw-quiet"> for “{named}”, {Math.round(score * 100)}% sure</small>}</span>
    </li>
  );
}

function HistoryImport({ drawn, file_id, export_id, site, likes, dislikes, matches, unmatched, unmatched_count, known, neutral, recorded, callAction }) {
  const root = useRef(null);
  const [state, setState] = useKept(React, drawn, 'state', () => (recorded ? 'recorded' : 'preview'));
  const [trouble, setTrouble] = useKept(React, drawn, 'trouble', () => '');
  const [busy, setBusy] = useKept(React, drawn, 'busy', () => false);
  useEffect(() => reveal(root.current), []);
  const total = likes + dislikes;
  const act = (name, payload, next, direction) => {
    setBusy(true);
    setTrouble('');
    history(callAction, name, payload)
      .then(() => { matches.forEach((film) => mark(film.item_id, direction ? direction(film) : null)); setState(next); })
      .catch((error) => setTrouble(error.message))
      .finally(() => setBusy(false));
  };
  const record = () => act('record', { file_id }, 'recorded', (film) => film.direction);
  const undo = () => act('undo', { export_id }, 'undone');
  const cancel = () => act('drop', { file_id }, 'cancelled');
  return (
    <section ref={root} className="rw rw-import" aria-label={`Your history of ${SITES[site]}`}>
      <h3>{total ? `${films(total)} of your ${SITES[site]} history` : `Nothing to record of your ${SITES[site]} history`}</h3>
      <p className="rw-tally">
        <span><Heart aria-hidden="true" /><b>{likes.toLocaleString('en')}</b> liked</span><span><X aria-hidden="true" /><b>{dislikes.toLocaleString('en')}</b> not for you</span>
      </p>
      <Listed title={`What would be recorded: ${films(total)}`} total={total}>{matches.map((film) => <Matched key={film.item_id} {...film} />)}</Listed>
      <Listed title={`Not found here: ${films(unmatched_count)}`} total={unmatched_count}>
        {unmatched.map(({ title, year, reason }, i) => <li key={i}><span>{title} {year && `(${year})`}<small className="rw-quiet"> {reason}</small></span></li>)}
      </Listed>
      {(known > 0 || neutral > 0) && <p className="rw-quiet">{[known && `${films(known)} you swiped here already`, neutral && `${films(neutral)} you neither liked nor disliked`].filter(Boolean).join(', ')}: left alone.</p>}
      {trouble && <p className="rw-trouble" role="alert">{trouble}</p>}
      <p className="rw-row" role="status">
        {state === 'recorded' && <><b>Recorded.</b><button type="button" className="rw-ghost rw-small" disabled={busy} onClick={undo}><Undo2 aria-hidden="true" />Undo</button></>}
        {state === 'undone' && <b>Taken back. Drop the file here again to record it.</b>}
        {state === 'cancelled' && <b>Nothing was recorded.</b>}
        {state === 'preview' && total > 0 && <><button type="button" className="rw-cta rw-small" disabled={busy} onClick={record}>Record {films(total)}</button><button type="button" className="rw-ghost rw-small" disabled={busy} onClick={cancel}>Cancel</button></>}
      </p>
    </section>
  );
}

const Kept = keep('HistoryImport', HistoryImport);
export default <Kept {...props} callAction={callAction} />;
