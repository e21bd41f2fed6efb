import React, { useEffect, useState } from 'react';
import { Heart, X, EyeOff, Undo2 } from 'lucide-react';

const { poster, keep, markAsDrawn, swipe, undo, explain, useKept, useReaction } = window.Reelwise;

const FIRST = 7;
const SAID = { like: 'Liked', dislike: 'Not for you', skip: 'Not seen' };
const VERDICTS = [
  { direction: 'like', label: 'Like', icon: Heart, look: 'rw-yes' },
  { direction: 'dislike', label: 'Not for me', icon: X, look: 'rw-no' },
  { direction: 'skip', label: "Haven't seen it", icon: EyeOff, look: 'rw-seen' },
];

function Match({ match, boost }) {
  const filled = Math.max(1, Math.round(match * 5));
  return (
    <span className="rw-match">
      <span aria-hidden="true">Match</span>
      <span className="rw-dots" role="img" aria-label={`Match: ${filled} of 5`}>
        {[1, 2, 3, 4, 5].map((i) => <i key={i} className={i <= filled ? 'is-on' : ''} />)}
      </span>
      {boost >= 0.02 && <span>with your taste</span>}
    </span>
  );
}

function Reactions({ movie, callAction, onTrouble }) {
  const reaction = useReaction(React, movie.item_id);
  const [asking, setAsking] = useState(false);
  const attempt = (call) => { onTrouble(''); return call.catch((error) => onTrouble(error.message)); };
  const why = () => {
    setAsking(true);
    attempt(explain(callAction, movie.item_id)).finally(() => setAsking(false));
  };
  return (
    <div className="rw-row rw-reactions" role="group" aria-label={`Your verdict on ${movie.title}`}>
      {reaction ? (
        <span className={`rw-said rw-said-${reaction}`}>
          {SAID[reaction]}
          <button type="button" className="rw-round rw-mini" title="Undo" aria-label={`Undo: ${movie.title}`} onClick={() => attempt(undo(callAction, movie.item_id))}><Undo2 aria-hidden="true" /></button>
        </span>
      ) : VERDICTS.map(({ direction, label, icon: Icon, look }) => (
        <button key={direction} type="button" className={`rw-round rw-mini ${look}`} title={label} aria-label={`${label}: ${movie.title}`} onClick={() => attempt(swipe(callAction, movie.item_id, direction))}><Icon aria-hidden="true" /></button>
      ))}
      <button type="button" className="rw-ghost rw-small rw-why" disabled={asking} onClick={why} aria-label={`Why this one? ${movie.title}`}>Why this one?</button>
    </div>
  );
}

function Film({ drawn, movie, lead, callAction }) {
  const [trouble, setTrouble] = useState('');
  const reaction = useReaction(React, movie.item_id);
  useEffect(() => { if (movie.reaction) markAsDrawn(drawn, movie.item_id, movie.reaction); }, []);
  return (
    <li className={`rw-film${lead ? ' rw-film-lead' : ''}${reaction ? ` is-${reaction}` : ''}`} data-item={movie.item_id}>
      {poster(React.createElement, movie)}
      <div className="rw-film-text">
        {lead && <span className="rw-eyebrow">Top pick</span>}
        <h3>{movie.title}</h3>
        <p className="rw-meta">{[movie.year, ...movie.genres.slice(0, 3)].filter(Boolean).join(' · ')}</p>
        {lead && movie.overview && <p className="rw-overview">{movie.overview}</p>}
        {movie.reasons.length > 0 && (
          <ul className="rw-reasons">{movie.reasons.slice(0, lead ? 3 : 2).map((reason) => <li key={reason}>{reason}</li>)}</ul>
        )}
        <Match {...movie} />
        <Reactions movie={movie} callAction={callAction} onTrouble={setTrouble} />
        {trouble && <p className="rw-trouble" role="alert">{trouble}</p>}
      </div>
    </li>
  );
}

function Refinements({ refinements, sendUserMessage }) {
  const drop = (words) => sendUserMessage(`without “${words}”`);
  return (
    <p className="rw-chips" role="group" aria-label="What you changed">
      <span className="rw-quiet">You said</span>
      {refinements.map((words) => (
        <span key={words} className="rw-chip">
          {words}
          <button type="button" className="rw-drop" title="Take it back" aria-label={`Take back: ${words}`} onClick={() => drop(words)}><X aria-hidden="true" /></button>
        </span>
      ))}
    </p>
  );
}

function MovieCards({ drawn, movies, read_as: readAs, refinements, without, callAction, sendUserMessage }) {
  const [all, setAll] = useKept(React, drawn, 'all', () => false);
  const shown = all ? movies : movies.slice(0, FIRST);
  return (
    <section className="rw rw-cards" aria-label="Recommendations">
      {readAs.length > 0 && (
        <p className="rw-chips"><span className="rw-quiet">I read that as</span>{readAs.map((phrase) => <span key={phrase} className="rw-chip">{phrase}</span>)}</p>
      )}
      {refinements.length > 0 && <Refinements refinements={refinements} sendUserMessage={sendUserMessage} />}
      <ul className="rw-films">
        {shown.map((movie, i) => <Film key={movie.item_id} drawn={drawn} movie={movie} lead={i === 0 && movies.length > 1} callAction={callAction} />)}
      </ul>
      {shown.length < movies.length && (
        <button type="button" className="rw-ghost" onClick={() => setAll(true)}>Show {movies.length - shown.length} more</button>
      )}
      {without.length > 0 && <p className="rw-quiet">Found without {without.join(' and ')}, which is not available right now.</p>}
    </section>
  );
}

const Kept = keep('MovieCards', MovieCards);
export default <Kept {...props} callAction={callAction} sendUserMessage={sendUserMessage} />;
