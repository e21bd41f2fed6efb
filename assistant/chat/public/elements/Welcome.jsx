import React from 'react';
import { Layers, Sparkles, UserRound } from 'lucide-react';

const { poster, keep } = window.Reelwise;

const DOORS = [
  { words: 'Start swiping', hint: 'Twenty cards, about two minutes', icon: Layers, lead: true },
  { words: 'Recommend something', hint: 'From what I know so far', icon: Sparkles },
  { words: 'What do you know about me?', hint: 'Your taste, in plain words', icon: UserRound },
];
const EXAMPLES = ['Something like Heat but funnier', '90s heist with a twist', 'A quiet film about memory'];

function Welcome({ movies, swipes, sendUserMessage }) {
  return (
    <section className="rw rw-welcome" aria-label="Where to start">
      {movies.length > 0 && (
        <div className="rw-fan" aria-hidden="true">
          {movies.map((movie) => <div key={movie.item_id} className="rw-fan-card">{poster(React.createElement, movie)}</div>)}
        </div>
      )}
      <div className="rw-doors">
        {DOORS.map(({ words, hint, icon: Icon, lead }) => (
          <button key={words} type="button" className={`rw-door${lead && swipes < 15 ? ' rw-lead' : ''}`} onClick={() => sendUserMessage(words)}>
            <Icon aria-hidden="true" />
            <span><b>{words}</b><small>{hint}</small></span>
          </button>
        ))}
      </div>
      <p className="rw-try">
        <span>Or try</span>
        {EXAMPLES.map((words) => (
          <button key={words} type="button" className="rw-chip rw-chip-button" onClick={() => sendUserMessage(words)}>{words}</button>
        ))}
      </p>
      <p className="rw-quiet">Coming from Letterboxd, IMDb or Trakt? Drop your export here, and I take over what you liked and did not.</p>
    </section>
  );
}

const Kept = keep('Welcome', Welcome);
export default <Kept {...props} sendUserMessage={sendUserMessage} />;
