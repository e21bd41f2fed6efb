import React, { useCallback, useEffect, useRef, useState } from 'react';
import { Heart, X, EyeOff, Undo2, ChevronDown, Sparkles } from 'lucide-react';

const { poster, keep, reveal, swipe, undo, useKept, useTaste } = window.Reelwise;

const THROW = 96; // px a card must be dragged before letting go counts
const KEYS = { ArrowLeft: 'dislike', ArrowRight: 'like', ArrowDown: 'skip', ' ': 'skip' };
const HINTS = {
  generic: 'A few more likes and I start to lean your way.',
  light: 'I have a first idea. Fifteen swipes make it personal.',
  personal: 'Your picks are fully personal now.',
};

const people = (names) => (names.length > 2 ? `${names.slice(0, 2).join(', ')} and others` : names.join(' and '));

/** The stack after an answer: the card that teaches most goes under the one shown; settled, that one is the last. */
function redeal(deck, shown, { next, settled }) {
  const kept = deck.slice(0, shown + 1);
  if (settled) return kept;
  if (!next || kept.some((each) => each.item_id === next.item_id)) return deck;
  const rest = deck.slice(shown + 1).filter((each) => each.item_id !== next.item_id);
  return [...kept, next, ...rest].slice(0, deck.length);
}

/** Follows a pointer across the card; lets go of it when it went far enough to mean something. */
function useDrag(onThrow) {
  const start = useRef(null);
  const [offset, setOffset] = useState(null);
  return {
    offset,
    handlers: {
      onPointerDown: (event) => {
        if (event.button !== 0 || event.target.closest('button')) return;
        start.current = { x: event.clientX, y: event.clientY };
        event.currentTarget.setPointerCapture(event.pointerId);
        setOffset({ x: 0, y: 0 });
      },
      onPointerMove: (event) => {
        if (!start.current) return;
        setOffset({ x: event.clientX - start.current.x, y: (event.clientY - start.current.y) * 0.35 });
      },
      onPointerUp: (event) => {
        if (!start.current) return;
        const x = event.clientX - start.current.x;
        start.current = null;
        setOffset(null);
        if (Math.abs(x) >= THROW) onThrow(x > 0 ? 'like' : 'dislike');
      },
      onPointerCancel: () => { start.current = null; setOffset(null); },
    },
  };
}

function TasteStrip({ taste }) {
  const percent = Math.round(taste.confidence * 100);
  const genres = taste.top_genres.slice(0, 5);
  return (
    <div className="rw-strip" data-testid="live-profile">
      <div className="rw-meter-line">
        <span>How well I know you</span><b>{percent}%</b>
      </div>
      <div className="rw-meter" role="meter" aria-label="How well I know you" aria-valuemin="0" aria-valuemax="100" aria-valuenow={percent}>
        <i style={{ width: `${percent}%` }} />
      </div>
      <div className="rw-chips">
        {genres.length === 0 && <span className="rw-quiet">Your favourite genres appear here as you swipe.</span>}
        {genres.map(({ name }) => <span key={name} className="rw-chip rw-warm">{name}</span>)}
      </div>
    </div>
  );
}

function Done({ verdicts, settled, taste, onPicks, onUndo }) {
  const count = (direction) => verdicts.filter((verdict) => verdict === direction).length;
  return (
    <div className="rw-done">
      <p className="rw-done-title">{settled ? 'That will do' : 'All done'}</p>
      {settled && <p className="rw-quiet">Your first ten films have settled: more cards would hardly change them.</p>}
      <p className="rw-tally">
        <span><b>{count('like')}</b> liked</span><span><b>{count('dislike')}</b> not for you</span><span><b>{count('skip')}</b> not seen</span>
      </p>
      <TasteStrip taste={taste} />
      <p className="rw-quiet">{HINTS[taste.strategy]}</p>
      <div className="rw-row">
        <button type="button" className="rw-cta" onClick={onPicks}><Sparkles aria-hidden="true" />Show my picks</button>
        <button type="button" className="rw-ghost" onClick={onUndo}><Undo2 aria-hidden="true" />Undo the last one</button>
      </div>
    </div>
  );
}

function SwipeDeck({ drawn, movies: dealt, session_id: sessionId, taste: first, callAction, sendUserMessage }) {
  const [movies, setMovies] = useKept(React, drawn, 'movies', () => dealt);
  const [settled, setSettled] = useKept(React, drawn, 'settled', () => false);
  const [verdicts, setVerdicts] = useKept(React, drawn, 'verdicts', () => dealt.map((each) => each.reaction).filter(Boolean));
  const [trouble, setTrouble] = useKept(React, drawn, 'trouble', () => '');
  const [leaving, setLeaving] = useState(null);
  const [open, setOpen] = useKept(React, drawn, 'open', () => false);
  const root = useRef(null);
  const taste = useTaste(React, drawn, first);
  const position = verdicts.length;
  const movie = movies[position];
  const shown = useRef(0);
  shown.current = position;

  useEffect(() => {
    root.current?.focus({ preventScroll: true });
    return reveal(root.current);
  }, []);

  const decide = useCallback((direction) => {
    if (!movie) return;
    setTrouble('');
    setOpen(false);
    setLeaving({ movie, direction, key: `${movie.item_id}-${position}` });
    setVerdicts((all) => [...all, direction]);
    swipe(callAction, movie.item_id, direction, sessionId).then((answer) => {
      setMovies((deck) => redeal(deck, shown.current, answer));
      if (answer.settled) setSettled(true);
    }).catch((error) => {
      // Later cards may have been swiped meanwhile: go back to the first one that was not recorded.
      setVerdicts((all) => all.slice(0, Math.min(all.length, position)));
      setLeaving(null);
      setTrouble(error.message);
    });
  }, [movie, position, sessionId, callAction]);

  const back = useCallback(() => {
    if (!position) return;
    const last = movies[position - 1];
    const verdict = verdicts[position - 1];
    setTrouble('');
    setLeaving(null);
    setVerdicts((all) => all.slice(0, -1));
    undo(callAction, last.item_id).catch((error) => {
      setVerdicts((all) => (all.length === position - 1 ? [...all, verdict] : all));
      setTrouble(error.message);
    });
  }, [movies, position, verdicts, callAction]);

  const { offset, handlers } = useDrag(decide);

  const onKeyDown = (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.key === ' ' && event.target.closest('button')) return;
    if (event.key === 'Backspace' || event.key.toLowerCase() === 'u') back();
    else if (KEYS[event.key]) decide(KEYS[event.key]);
    else return;
    event.preventDefault();
  };

  const pull = offset ? Math.max(-1, Math.min(1, offset.x / THROW)) : 0;
  const drag = offset ? { transform: `translate(${offset.x}px, ${offset.y}px) rotate(${offset.x / 18}deg)`, transition: 'none' } : undefined;

  return (
    <section ref={root} className="rw rw-deck" tabIndex={-1} onKeyDown={onKeyDown} aria-label="Taste survey" aria-roledescription="stack of film cards">
      <header className="rw-progress">
        <span className="rw-count">{movie ? `${position + 1} of ${movies.length}` : `${movies.length} of ${movies.length}`}</span>
        <div className="rw-ticks" aria-hidden="true">
          {movies.map((each, i) => <i key={each.item_id} className={verdicts[i] ? `is-${verdicts[i]}` : i === position ? 'is-now' : ''} />)}
        </div>
      </header>
      <p className="rw-sr" aria-live="polite">
        {movie ? `Card ${position + 1} of ${movies.length}: ${movie.title}, ${movie.year ?? 'year unknown'}` : 'All cards answered'}
      </p>
      {trouble && <p className="rw-trouble" role="alert">{trouble}</p>}
      {!movie ? (
        <Done verdicts={verdicts} settled={settled} taste={taste} onUndo={back} onPicks={() => sendUserMessage('Show me my picks')} />
      ) : (
        <div className="rw-table">
          <div className="rw-stack">
            {movies.slice(position + 1, position + 3).reverse().map((each) => (
              <div key={each.item_id} className={`rw-card rw-behind-${movies.indexOf(each) - position}`} aria-hidden="true">{poster(React.createElement, each)}</div>
            ))}
            <div key={movie.item_id} className="rw-card rw-top" style={drag} {...handlers} data-testid="top-card">
              {poster(React.createElement, movie)}
              <b className="rw-stamp rw-stamp-like" style={{ opacity: Math.max(0, pull) }} aria-hidden="true">Like</b>
              <b className="rw-stamp rw-stamp-nope" style={{ opacity: Math.max(0, -pull) }} aria-hidden="true">Nope</b>
            </div>
            {leaving && (
              <div key={leaving.key} className={`rw-card rw-leaving rw-leaving-${leaving.direction}`} aria-hidden="true" onAnimationEnd={() => setLeaving(null)}>
                {poster(React.createElement, leaving.movie)}
                {leaving.direction !== 'skip' && <b className={`rw-stamp rw-stamp-${leaving.direction === 'like' ? 'like' : 'nope'}`}>{leaving.direction === 'like' ? 'Like' : 'Nope'}</b>}
              </div>
            )}
          </div>
          <div className="rw-side">
            <div className="rw-facts">
              <h3>{movie.title}</h3>
              <p className="rw-meta">{[movie.year, ...movie.genres.slice(0, 3)].filter(Boolean).join(' · ')}</p>
              {movie.director.length > 0 && <p className="rw-by">{movie.credit ?? 'Directed by'} {people(movie.director)}</p>}
              {movie.overview && (
                <>
                  <button type="button" className="rw-more" aria-expanded={open} onClick={() => setOpen(!open)}>
                    What is it about?<ChevronDown aria-hidden="true" />
                  </button>
                  {open && <p className="rw-overview">{movie.overview}</p>}
                </>
              )}
            </div>
            <TasteStrip taste={taste} />
          </div>
          <div className="rw-verdicts" role="group" aria-label={`Your verdict on ${movie.title}`}>
            <button type="button" className="rw-round" onClick={back} disabled={!position} aria-label="Undo" aria-keyshortcuts="Backspace U"><Undo2 aria-hidden="true" /><kbd>⌫</kbd></button>
            <button type="button" className="rw-round rw-no" onClick={() => decide('dislike')} aria-label="Not for me" aria-keyshortcuts="ArrowLeft"><X aria-hidden="true" /><kbd>←</kbd></button>
            <button type="button" className="rw-round rw-seen" onClick={() => decide('skip')} aria-label="Haven't seen it" aria-keyshortcuts="ArrowDown Space"><EyeOff aria-hidden="true" /><kbd>↓</kbd></button>
            <button type="button" className="rw-round rw-yes" onClick={() => decide('like')} aria-label="Like" aria-keyshortcuts="ArrowRight"><Heart aria-hidden="true" /><kbd>→</kbd></button>
          </div>
        </div>
      )}
    </section>
  );
}

const Kept = keep('SwipeDeck', SwipeDeck);
export default <Kept {...props} callAction={callAction} sendUserMessage={sendUserMessage} />;
