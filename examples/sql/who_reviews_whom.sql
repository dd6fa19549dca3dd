-- Who reviews whose pull requests? A pair that is alone at the top is knowledge that two people share.
SELECT reviewers.full_name AS reviewer, authors.full_name AS author,
  COUNT(DISTINCT requests.id) AS pull_requests
FROM pull_request_events AS events
JOIN pull_requests AS requests ON requests.id = events.pull_request_id
JOIN accounts AS reviewers ON reviewers.id = events.actor_id
JOIN accounts AS authors ON authors.id = requests.author_id
WHERE events.kind IN ('commented', 'approved', 'changes requested')
  AND events.actor_id <> requests.author_id
GROUP BY reviewers.id, reviewers.full_name, authors.id, authors.full_name
ORDER BY pull_requests DESC, reviewers.id, authors.id
LIMIT 20
