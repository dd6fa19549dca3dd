-- How long do the changes of each team take, and where do they wait? Needs people and teams:
-- docs/imports.md says how they come in.
SELECT teams.name AS team, COUNT(*) AS merged,
  ROUND(AVG(cycles.pickup_minutes)) AS pickup_minutes,
  ROUND(AVG(cycles.review_minutes)) AS review_minutes,
  ROUND(AVG(cycles.cycle_minutes)) AS cycle_minutes
FROM v_pull_request_cycle AS cycles
JOIN user_accounts ON user_accounts.account_id = cycles.author_id
JOIN team_users ON team_users.user_id = user_accounts.user_id
JOIN teams ON teams.id = team_users.team_id
GROUP BY teams.id, teams.name
ORDER BY merged DESC, teams.id
