import React, { useEffect, useRef } from 'react';
import { Heart, X, Film, Tag, Users, Search, CalendarDays, Award, TrendingUp, Filter, UserRound, Clapperboard, Shuffle } from 'lucide-react';

const { keep, reveal } = window.Reelwise;

const ICONS = {
  liked_film: Heart, disliked_film: X, anchor_film: Film, genre: Clapperboard, tag: Tag, person: Users,
  query: Search, year: CalendarDays, acclaim: Award, popularity: TrendingUp, filter: Filter, profile: UserRound, co_liked: Users, counterfactual: Shuffle,
};

function Evidence({ title, facts, without = [] }) {
  const root = useRef(null);
  // The answer to "why this one?" lands below the cards, often out of sight.
  useEffect(() => reveal(root.current), []);
  if (!facts.length) return null;
  const most = Math.max(...facts.map(({ weight }) => weight), 0.01);
  return (
    <section ref={root} className="rw rw-evidence" aria-label={`What this rests on: ${title}`}>
      <h4>What this rests on</h4>
      <ul>
        {facts.map(({ kind, text, weight, against }) => {
          const Icon = ICONS[kind] ?? Film;
          return (
            <li key={kind + text}>
              <Icon aria-hidden="true" /><span>{against && <b>Against: </b>}{text}</span>
              {weight > 0 && <div className="rw-track" title={`Weight ${Math.round(weight * 100)}%`}><i className={against ? 'is-dislike' : 'is-like'} style={{ width: `${(weight / most) * 100}%` }} /></div>}
            </li>
          );
        })}
      </ul>
      {without.length > 0 && <p className="rw-quiet">Explained without {without.join(' and ')}, which is not available right now.</p>}
    </section>
  );
}

const Kept = keep('Evidence', Evidence);
export default <Kept {...props} />;
