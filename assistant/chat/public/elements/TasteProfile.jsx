import React from 'react';
import { Heart, X, EyeOff, Undo2, ChevronDown } from 'lucide-react';

const { keep, swipe, undo, useKept, useTaste } = window.Reelwise;

const STAGES = {
  generic: 'I am still getting to know you, so I suggest films that most people love.',
  light: 'I have first hints of your taste, and your picks already go by them.',
  personal: 'I know you well enough to make every pick personal.',
};
const SIGNALS = [
  ['vector', 'the feel of films you liked'],
  ['bm25', 'the exact words you type'],
  ['preference', 'your genres and themes'],
];

const years = ([first, last]) => (Math.floor(first / 10) === Math.floor(last / 10) ? `the ${Math.floor(first / 10) * 10}s` : `${first} to ${last}`);
const popularity = (bias) => (bias > 0.15 ? 'You go for films that everybody knows.' : bias < -0.15 ? 'You like films off the beaten track.' : null);

const sure = (sureness) => (sureness >= 0.6 ? 'sure' : sureness >= 0.5 ? 'fairly sure' : 'a guess');

function Behind({ film, onChange }) {
  const liked = film.direction === 'like';
  return (
    <li>
      <span className={`rw-said rw-said-${film.direction}`}>{liked ? <Heart aria-hidden="true" /> : <X aria-hidden="true" />}<span className="rw-sr">{liked ? 'Liked' : 'Not for you'}</span></span>
      <span>{film.title}</span>
      <button type="button" className="rw-ghost rw-small" aria-label={`Take back: ${film.title}`} onClick={() => onChange(film, null)}>Take back</button>
      <button type="button" className="rw-ghost rw-small" aria-label={`${liked ? "I didn't like" : 'I liked'} ${film.title}`} onClick={() => onChange(film, liked ? 'dislike' : 'like')}>{liked ? "I didn't like it" : 'I liked it'}</button>
    </li>
  );
}

function Beliefs({ title, beliefs, kind, scale, onChange }) {
  if (!beliefs.length) return null;
  return (
    <div className="rw-beliefs">
      <h4>{title}</h4>
      {beliefs.map(({ name, weight, sureness, films }) => (
        <details key={name}>
          <summary>
            <span>{name}</span>
            <div className="rw-track"><i className={`is-${kind}`} style={{ width: `${Math.max(4, (Math.abs(weight) / scale) * 100)}%`, opacity: 0.4 + 0.6 * sureness }} /></div>
            <small>{sure(sureness)}</small><ChevronDown aria-hidden="true" />
          </summary>
          <ul aria-label={`Films behind ${name}`}>{films.map((film) => <Behind key={film.item_id} film={film} onChange={onChange} />)}</ul>
        </details>
      ))}
    </div>
  );
}

function Changed({ changes, onChange }) {
  if (!changes.length) return null;
  return (
    <div role="group" aria-label="What you changed here">
      <h4>Changed here</h4>
      <div className="rw-chips">
        {changes.map((film) => (
          <button key={film.item_id} type="button" className="rw-ghost rw-small" aria-label={`Put back: ${film.title}`} onClick={() => onChange(film, film.direction)}><Undo2 aria-hidden="true" />{film.title}: back to {film.direction === 'like' ? 'liked' : 'not for you'}</button>
        ))}
      </div>
    </div>
  );
}

/** Swipes changed from the picture; each can be put back to what it was before. */
function useChanges(drawn, callAction) {
  const [changes, setChanges] = useKept(React, drawn, 'changes', () => []);
  const [trouble, setTrouble] = useKept(React, drawn, 'trouble', () => '');
  const change = (film, direction) => {
    setTrouble('');
    const call = direction ? swipe(callAction, film.item_id, direction) : undo(callAction, film.item_id);
    call.then(() => setChanges((all) => {
      const known = all.find(({ item_id }) => item_id === film.item_id);
      const others = all.filter((each) => each !== known);
      const before = known ?? film;
      return before.direction === direction ? others : [...others, before];
    })).catch((error) => setTrouble(error.message));
  };
  return { changes, change, trouble };
}

function Confidence({ value }) {
  const percent = Math.round(value * 100);
  const length = 2 * Math.PI * 42;
  return (
    <div className="rw-dial" role="meter" aria-label="How well I know you" aria-valuemin="0" aria-valuemax="100" aria-valuenow={percent}>
      <svg viewBox="0 0 100 100" aria-hidden="true">
        <circle cx="50" cy="50" r="42" className="rw-dial-track" />
        <circle cx="50" cy="50" r="42" className="rw-dial-fill" strokeDasharray={`${value * length} ${length}`} transform="rotate(-90 50 50)" />
      </svg>
      <b>{percent}%</b><small>known</small>
    </div>
  );
}

function Signals({ weights }) {
  return (
    <div className="rw-signals">
      <h4>What decides your picks</h4>
      <div className="rw-split" aria-hidden="true">{SIGNALS.map(([key]) => <i key={key} className={`is-${key}`} style={{ flexGrow: weights[key] }} />)}</div>
      <ul>{SIGNALS.map(([key, words]) => <li key={key}><i className={`is-${key}`} /><b>{Math.round(weights[key] * 100)}%</b> {words}</li>)}</ul>
    </div>
  );
}

function TasteProfile({ drawn, callAction, ...profile }) {
  const { swipes, likes, dislikes, skips, confidence, strategy, beliefs } = useTaste(React, drawn, profile);
  const { changes, change, trouble } = useChanges(drawn, callAction);
  const scale = Math.max(0.01, ...beliefs.map(({ weight }) => Math.abs(weight)));
  const genres = beliefs.filter(({ kind }) => kind === 'genre');
  const eras = beliefs.filter(({ kind }) => kind === 'era');
  const themes = beliefs.filter(({ kind }) => kind === 'theme').slice(0, 6);
  const notes = [
    profile.favourite_years && <>Your likes are mostly of <b>{years(profile.favourite_years)}</b></>,
    popularity(profile.popularity_bias),
    profile.recent_likes.length > 0 && `Liked lately: ${profile.recent_likes.slice(0, 4).join(', ')}`,
  ].filter(Boolean);
  if (!swipes) {
    return <section className="rw rw-profile" aria-label="Your taste"><p className="rw-quiet">Nothing yet. Swipe a few cards and your taste shows up here.</p><Changed changes={changes} onChange={change} /></section>;
  }
  return (
    <section className="rw rw-profile" aria-label="Your taste">
      <header>
        <Confidence value={confidence} />
        <div>
          <h3>Your taste, from {swipes} {swipes === 1 ? 'film' : 'films'}</h3>
          <p className="rw-tally">
            <span><Heart aria-hidden="true" /><b>{likes}</b> liked</span><span><X aria-hidden="true" /><b>{dislikes}</b> not for you</span><span><EyeOff aria-hidden="true" /><b>{skips}</b> not seen</span>
          </p>
          <p className="rw-quiet">{STAGES[strategy]}</p>
        </div>
      </header>
      {trouble && <p className="rw-trouble" role="alert">{trouble}</p>}
      {genres.length > 0 && <p className="rw-quiet">Open a line to see the films it comes from. One of them misleads me? Change it there.</p>}
      <div className="rw-columns">
        <Beliefs title="You go for" beliefs={genres.filter(({ weight }) => weight > 0)} kind="like" scale={scale} onChange={change} />
        <Beliefs title="You avoid" beliefs={genres.filter(({ weight }) => weight < 0)} kind="dislike" scale={scale} onChange={change} />
        <Beliefs title="Your eras" beliefs={eras.filter(({ weight }) => weight > 0)} kind="like" scale={scale} onChange={change} />
        <Beliefs title="Less your eras" beliefs={eras.filter(({ weight }) => weight < 0)} kind="dislike" scale={scale} onChange={change} />
        <Beliefs title="Themes you return to" beliefs={themes} kind="like" scale={scale} onChange={change} />
      </div>
      <Changed changes={changes} onChange={change} />
      <div className="rw-columns">
        <Signals weights={profile.weights} />
        {notes.length > 0 && <div className="rw-notes"><h4>Also</h4><ul>{notes.map((note, row) => <li key={row}>{note}</li>)}</ul></div>}
      </div>
    </section>
  );
}

const Kept = keep('TasteProfile', TasteProfile);
export default <Kept {...props} callAction={callAction} />;
