-- Which production deployments failed, when were they recovered from, and which incident says so?
-- Without a recovery they are still open.
SELECT failed.project_name, scopes.name AS repository, failed.finished_date AS deployed,
  recoveries.recovered_date AS recovered, incidents.title AS incident
FROM project_deployments AS failed
JOIN cicd_deployments AS deployments ON deployments.id = failed.id
JOIN cicd_scopes AS scopes ON scopes.id = deployments.cicd_scope_id
LEFT JOIN project_recoveries AS recoveries ON recoveries.deployment_id = failed.id
  AND recoveries.project_name = failed.project_name
LEFT JOIN incidents ON incidents.id = recoveries.incident_id
WHERE failed.failed
ORDER BY failed.finished_date DESC, failed.id, recoveries.incident_id
LIMIT 20
