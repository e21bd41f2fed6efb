import React, { useEffect, useState } from 'react';
import { Undo2 } from 'lucide-react';

const { poster, keep, markAsDrawn, undo, useReaction } = window.Reelwise;

const SAID = { like: 'Liked', dislike: 'Not for you', skip: 'Not seen' };

function Reaction({ drawn, movie, direction, callAction }) {
  const reaction = useReaction(React, movie.item_id);
  const [trouble, setTrouble] = useState('');
  useEffect(() => markAsDrawn(drawn, movie.item_id, direction), []);
  return (
    <section className="rw rw-note" aria-label={`Your verdict on ${movie.title}`}>
      {poster(React.createElement, movie)}
      <div>
        <h3>{movie.title}</h3>
        <p className={`rw-said rw-said-${reaction ?? 'none'}`}>{reaction ? SAID[reaction] : 'No verdict'}</p>
        {trouble && <p className="rw-trouble" role="alert">{trouble}</p>}
      </div>
      {reaction && <button type="button" className="rw-ghost rw-small" onClick={() => undo(callAction, movie.item_id).catch((error) => setTrouble(error.message))}><Undo2 aria-hidden="true" />Undo</button>}
    </section>
  );
}

const Kept = keep('Reaction', Reaction);
export default <Kept {...props} callAction={callAction} />;
