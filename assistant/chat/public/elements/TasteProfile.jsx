import React from 'react';
import { Heart, X, EyeOff } from 'lucide-react';

const { keep } = window.Reelwise;

const STAGES = {
  generic: 'I am still getting to know you, so I suggest films that most people love.',
  light: 'I have first hints of your taste and lean on them lightly.',
  personal: 'I know you well enough to make every pick personal.',
};
const SIGNALS = [
  ['vector', 'the feel of films you liked'],
  ['bm25', 'the exact words you type'],
  ['preference', 'your genres and themes'],
];

const era = ([first, last]) => (Math.floor(first / 10) === Math.floor(last / 10) ? `the ${Math.floor(first / 10) * 10}s` : `${first} to ${last}`);
const popularity = (bias) => (bias > 0.15 ? 'You go for films that everybody knows.' : bias < -0.15 ? 'You like films off the beaten track.' : null);

function Bars({ title, weights, kind, scale }) {
  if (!weights.length) return null;
  return (
    <div className="rw-bars">
      <h4>{title}</h4>
      <ul>
        {weights.slice(0, 6).map(({ name, weight }) => (
          <li key={name}><span>{name}</span><div className="rw-track"><i className={`is-${kind}`} style={{ width: `${Math.max(4, (Math.abs(weight) / scale) * 100)}%` }} /></div></li>
        ))}
      </ul>
    </div>
  );
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

function TasteProfile(profile) {
  const { swipes, likes, dislikes, skips, confidence, strategy, top_genres: top, avoided_genres: avoided, top_tags: tags } = profile;
  const scale = Math.max(0.01, ...[...top, ...avoided].map(({ weight }) => Math.abs(weight)));
  const bias = popularity(profile.popularity_bias);
  if (!swipes) {
    return <section className="rw rw-profile" aria-label="Your taste"><p className="rw-quiet">Nothing yet. Swipe a few cards and your taste shows up here.</p></section>;
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
      <div className="rw-columns">
        <Bars title="You go for" weights={top} kind="like" scale={scale} />
        <Bars title="You avoid" weights={avoided} kind="dislike" scale={scale} />
      </div>
      {tags.length > 0 && <div><h4>Themes you return to</h4><div className="rw-chips">{tags.slice(0, 8).map(({ name }) => <span key={name} className="rw-chip rw-warm">{name}</span>)}</div></div>}
      <div className="rw-columns">
        <Signals weights={profile.weights} />
        <div className="rw-notes">
          <h4>Also</h4>
          <ul>
            {profile.favourite_years && <li>Your era: <b>{era(profile.favourite_years)}</b></li>}
            {bias && <li>{bias}</li>}
            {profile.recent_likes.length > 0 && <li>Liked lately: {profile.recent_likes.slice(0, 4).join(', ')}</li>}
          </ul>
        </div>
      </div>
    </section>
  );
}

const Kept = keep('TasteProfile', TasteProfile);
export default <Kept {...props} />;
