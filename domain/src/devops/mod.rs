//! Domain tables: devops.

pub mod cicd_deployment;
pub mod cicd_deployment_commit;
pub mod cicd_pipeline;
pub mod cicd_pipeline_commit;
pub mod cicd_release;
pub mod cicd_scope;
pub mod cicd_task;
