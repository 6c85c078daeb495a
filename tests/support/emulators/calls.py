"""Which permission each call to AWS needs, and whose permissions it is made with."""

import ast
import re
from functools import cache
from pathlib import Path

AWS = Path("cloudkon/aws")
LAMBDA, WORKER, OPERATOR, IMAGES = "Lambda", "worker", "operator", "images"
DEPLOYER = "deployer"
"""Who brings stages up and down: an administrator, for whom the stack has no policy."""
EVERYBODY = (LAMBDA, WORKER, OPERATOR, IMAGES)

# By file and call: what AWS asks for, and of whom.
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
CALLS: dict[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = {
    ("changes.py", "create_change_set"): (("cloudformation:CreateChangeSet",), (DEPLOYER,)),
    ("changes.py", "delete_change_set"): (("cloudformation:DeleteChangeSet",), (DEPLOYER,)),
    ("changes.py", "delete_stack"): (("cloudformation:DeleteStack",), (DEPLOYER,)),
    ("changes.py", "describe_change_set"): (("cloudformation:DescribeChangeSet",), (DEPLOYER,)),
    ("changes.py", "execute_change_set"): (("cloudformation:ExecuteChangeSet",), (DEPLOYER,)),
    ("ledger_table.py", "describe_continuous_backups"): (("dynamodb:DescribeContinuousBackups",), (DEPLOYER,)),
    ("ledger_table.py", "describe_table"): (("dynamodb:DescribeTable",), (DEPLOYER,)),
    ("ledger_table.py", "describe_time_to_live"): (("dynamodb:DescribeTimeToLive",), (DEPLOYER,)),
    ("ledger_table.py", "update_continuous_backups"): (("dynamodb:UpdateContinuousBackups",), (DEPLOYER,)),
    ("ledger_table.py", "update_time_to_live"): (("dynamodb:UpdateTimeToLive",), (DEPLOYER,)),
    ("ledger_table.py", "update_table"): (("dynamodb:UpdateTable",), (DEPLOYER,)),
    ("emptying.py", "delete_objects"): (("s3:DeleteObject", "s3:DeleteObjectVersion"), (DEPLOYER,)),
    ("emptying.py", "list_object_versions"): (("s3:ListBucketVersions",), (DEPLOYER,)),
    ("functions.py", "get_function_configuration"): (("lambda:GetFunctionConfiguration",), (DEPLOYER,)),
    ("functions.py", "get_bucket_notification_configuration"): (("s3:GetBucketNotification",), (DEPLOYER,)),
    ("functions.py", "put_function_event_invoke_config"): (("lambda:PutFunctionEventInvokeConfig",), (DEPLOYER,)),
    ("functions.py", "list_event_source_mappings"): (("lambda:ListEventSourceMappings",), (DEPLOYER,)),
    ("lambda_roles.py", "create_role"): (("iam:CreateRole",), (DEPLOYER,)),
    ("lambda_roles.py", "get_role"): (("iam:GetRole",), (DEPLOYER,)),
    ("lambda_roles.py", "put_role_permissions_boundary"): (("iam:PutRolePermissionsBoundary",), (DEPLOYER,)),
    ("function_events.py", "invoke"): (("lambda:InvokeFunction",), (OPERATOR,)),
    ("network.py", "describe_instance_type_offerings"): (("ec2:DescribeInstanceTypeOfferings",), (DEPLOYER,)),
    ("network.py", "describe_subnets"): (("ec2:DescribeSubnets",), (DEPLOYER,)),
    ("network.py", "describe_vpcs"): (("ec2:DescribeVpcs",), (DEPLOYER,)),
    ("queue.py", "change_message_visibility_batch"): (("sqs:ChangeMessageVisibility*",), (LAMBDA, WORKER, OPERATOR)),
    ("queue.py", "delete_message_batch"): (("sqs:DeleteMessage*",), (WORKER, OPERATOR)),
    ("queue.py", "get_queue_attributes"): (("sqs:GetQueueAttributes",), (WORKER, OPERATOR)),
    ("queue.py", "get_queue_url"): (("sqs:GetQueueUrl",), (LAMBDA, WORKER, OPERATOR)),
    ("queue.py", "receive_message"): (("sqs:ReceiveMessage",), (WORKER, OPERATOR)),
    ("queue.py", "send_message_batch"): (("sqs:SendMessage*",), (LAMBDA, WORKER, OPERATOR)),
    ("session.py", "get_caller_identity"): ((), EVERYBODY),  # nobody can be denied it
    ("stack.py", "create_stack"): (("cloudformation:CreateStack",), (DEPLOYER,)),
    ("stack.py", "delete_stack"): (("cloudformation:DeleteStack",), (DEPLOYER,)),
    ("stack.py", "describe_stack_events"): (("cloudformation:DescribeStackEvents",), (DEPLOYER,)),
    ("stack.py", "describe_stacks"): (("cloudformation:DescribeStacks",), (DEPLOYER, IMAGES)),
    ("stack.py", "get_template_summary"): (("cloudformation:GetTemplateSummary",), (DEPLOYER,)),
    ("stack.py", "list_stack_resources"): (("cloudformation:ListStackResources",), (DEPLOYER,)),
    ("stack.py", "update_stack"): (("cloudformation:UpdateStack",), (DEPLOYER,)),
    ("store.py", "generate_presigned_url"): (("s3:GetObject",), (OPERATOR,)),
    ("store.py", "get_bucket_versioning"): (("s3:GetBucketVersioning",), (OPERATOR,)),
    ("store.py", "get_object"): (("s3:GetObject", "s3:GetObjectVersion"), (LAMBDA, OPERATOR)),
    ("store.py", "head_object"): (("s3:GetObject", "s3:ListBucket"), (OPERATOR,)),
    ("store.py", "put_object"): (("s3:PutObject",), (*EVERYBODY,)),
    ("store.py", "list_objects_v2"): (("s3:ListBucket",), (DEPLOYER,)),
    ("store.py", "list_multipart_uploads"): (("s3:ListBucketMultipartUploads",), (DEPLOYER,)),
    ("store.py", "delete_objects"): (("s3:DeleteObject",), (DEPLOYER,)),
    ("store.py", "abort_multipart_upload"): (("s3:AbortMultipartUpload",), (DEPLOYER,)),
    ("multipart.py", "create_multipart_upload"): (("s3:PutObject",), (WORKER, OPERATOR)),
    ("multipart.py", "upload_part"): (("s3:PutObject",), (WORKER, OPERATOR)),
    ("multipart.py", "complete_multipart_upload"): (("s3:PutObject",), (WORKER, OPERATOR)),
    ("multipart.py", "abort_multipart_upload"): (("s3:AbortMultipartUpload",), (WORKER, OPERATOR)),
    ("table.py", "batch_execute_statement"): (("dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"), (WORKER,)),
    ("table.py", "get_item"): (("dynamodb:GetItem",), (LAMBDA, WORKER, OPERATOR)),
    ("table.py", "put_item"): (("dynamodb:PutItem",), (LAMBDA, WORKER, OPERATOR)),
    ("table.py", "query"): (("dynamodb:Query",), (LAMBDA, WORKER, OPERATOR)),
    ("table.py", "update_item"): (("dynamodb:UpdateItem",), (WORKER, OPERATOR)),
    # What starts and ends machines.
    ("instance_group.py", "complete_lifecycle_action"): (("autoscaling:CompleteLifecycleAction",), (WORKER,)),
    ("instance_group.py", "set_instance_protection"): (("autoscaling:SetInstanceProtection",), (WORKER,)),
    ("log_reader.py", "filter_log_events"): (("logs:FilterLogEvents",), (OPERATOR,)),
    ("scaling.py", "attach_instances"): (("autoscaling:AttachInstances",), (OPERATOR,)),
    ("scaling.py", "complete_lifecycle_action"): (("autoscaling:CompleteLifecycleAction",), (OPERATOR,)),
    ("instances.py", "describe_instances"): (("ec2:DescribeInstances",), (OPERATOR, IMAGES)),
    ("scaling.py", "delete_auto_scaling_group"): (("autoscaling:DeleteAutoScalingGroup",), (DEPLOYER,)),
    ("scaling.py", "describe_auto_scaling_groups"): (("autoscaling:DescribeAutoScalingGroups",), (OPERATOR,)),
    ("scaling.py", "describe_scaling_activities"): (("autoscaling:DescribeScalingActivities",), (OPERATOR,)),
    ("scaling.py", "describe_launch_template_versions"): (("ec2:DescribeLaunchTemplateVersions",), (IMAGES,)),
    ("scaling.py", "run_instances"): (
        ("ec2:RunInstances", "ec2:CreateTags", "iam:PassRole", "ssm:GetParameters"),
        (IMAGES,),  # who may give a machine other user data decides what it runs
    ),
    ("scaling.py", "set_desired_capacity"): (("autoscaling:SetDesiredCapacity",), (OPERATOR,)),
    ("scaling.py", "terminate_instance_in_auto_scaling_group"): (
        ("autoscaling:TerminateInstanceInAutoScalingGroup",),
        (OPERATOR,),
    ),
    ("scaling.py", "terminate_instances"): (("ec2:TerminateInstances",), (OPERATOR,)),
    ("scaling.py", "update_auto_scaling_group"): (("autoscaling:UpdateAutoScalingGroup",), (OPERATOR,)),
    ("prices.py", "describe_spot_price_history"): (("ec2:DescribeSpotPriceHistory",), (OPERATOR,)),
    ("prices.py", "get_products"): (("pricing:GetProducts",), (OPERATOR,)),
    # What makes images.
    ("ami_builder.py", "create_image"): (("ec2:CreateImage", "ec2:CreateTags"), (IMAGES,)),
    ("ami_builder.py", "get_console_output"): (("ec2:GetConsoleOutput",), (IMAGES,)),
    ("ami_builder.py", "run_instances"): (("ec2:RunInstances", "ec2:CreateTags", "iam:PassRole"), (IMAGES,)),
    ("ami_builder.py", "terminate_instances"): (("ec2:TerminateInstances",), (IMAGES,)),
    ("amis.py", "deregister_image"): (("ec2:DeregisterImage",), (IMAGES,)),
    ("amis.py", "delete_snapshot"): (("ec2:DeleteSnapshot",), (IMAGES,)),
    ("amis.py", "describe_images"): (("ec2:DescribeImages",), (IMAGES,)),
    ("amis.py", "delete_parameter"): (("ssm:DeleteParameter",), (DEPLOYER,)),
    ("amis.py", "get_parameter"): (("ssm:GetParameter",), (IMAGES,)),
    ("amis.py", "put_parameter"): (("ssm:PutParameter",), (IMAGES,)),
}

# What no file of cloudkon/aws/ calls: somebody else does, with our permissions.
BY_OTHERS: dict[tuple[str, str], str] = {
    (LAMBDA, "kms:Decrypt"): "S3, SQS and DynamoDB, for what is encrypted by a key of yours",
    (LAMBDA, "kms:GenerateDataKey"): "S3, SQS and DynamoDB, for what is encrypted by a key of yours",
    (LAMBDA, "logs:CreateLogStream"): "Lambda itself, for the function's output",
    (LAMBDA, "logs:PutLogEvents"): "Lambda itself, for the function's output",
    (LAMBDA, "sqs:DeleteMessage*"): "Lambda's poller, when the function has returned",
    (LAMBDA, "sqs:GetQueueAttributes"): "Lambda's poller",
    (LAMBDA, "sqs:ReceiveMessage"): "Lambda's poller",
    (LAMBDA, "xray:PutTelemetryRecords"): "Lambda's X-Ray daemon",
    (LAMBDA, "xray:PutTraceSegments"): "Lambda's X-Ray daemon",
    (WORKER, "kms:Decrypt"): "S3, SQS and DynamoDB, where the stage has a key of its own",
    (WORKER, "kms:GenerateDataKey"): "S3, SQS and DynamoDB, where the stage has a key of its own",
    (OPERATOR, "kms:Decrypt"): "S3, SQS and DynamoDB, where the stage has a key of its own",
    (OPERATOR, "kms:GenerateDataKey"): "S3, SQS and DynamoDB, where the stage has a key of its own",
    (IMAGES, "kms:CreateGrant"): "EC2, for the disks of machines, where the stage has a key of its own",
    (IMAGES, "kms:Decrypt"): "EC2 and S3, where the stage has a key of its own",
    (IMAGES, "kms:GenerateDataKey"): "S3, for artifacts, where the stage has a key of its own",
    (
        IMAGES,
        "kms:GenerateDataKeyWithoutPlaintext",
    ): "EC2, for the disks of machines, by a key of its own",
    ("image builder", "kms:Decrypt"): "S3, for artifacts, where the stage has a key of its own",
    (WORKER, "logs:CreateLogStream"): "the CloudWatch agent of the image",
    (WORKER, "logs:PutLogEvents"): "the CloudWatch agent of the image",
    (WORKER, "s3:GetObject"): "head_object after upload_fileobj; get_object of pictures, where buckets are given",
    (WORKER, "xray:PutTelemetryRecords"): "the CloudWatch agent of the image, as the X-Ray daemon",
    (WORKER, "xray:PutTraceSegments"): "the CloudWatch agent of the image, as the X-Ray daemon",
    ("shell", "ssm:UpdateInstanceInformation"): "the SSM agent of the image",
    ("shell", "ssmmessages:CreateControlChannel"): "the SSM agent of the image",
    ("shell", "ssmmessages:CreateDataChannel"): "the SSM agent of the image",
    ("shell", "ssmmessages:OpenControlChannel"): "the SSM agent of the image",
    ("shell", "ssmmessages:OpenDataChannel"): "the SSM agent of the image",
    ("image builder", "s3:ListBucket"): "ec2_worker/ami/provision.sh",
    ("image builder", "s3:GetObject"): "ec2_worker/ami/provision.sh",
}

_CLIENT = re.compile(r"(^|\.)_?(client|autoscaling|cloudwatch|ec2|iam|logs|pricing|quotas|s3|sqs|ssm|sts|functions)$")
_NOT_CALLS = {"get_paginator"}
_ADMINISTRATORS = {"checkups", "leftovers"}


@cache
def calls() -> frozenset[tuple[str, str]]:
    """Every call of a client's in cloudkon/aws/, by file and name; a paginator counts as the call that it repeats.

    What doctor and gc call is left out: they are an administrator's, and say so where they may not ask.
    """
    return frozenset(call for path in files() for call in _calls_of(path))


def files() -> list[Path]:
    """Those whose calls are looked at."""
    return sorted(path for path in AWS.rglob("*.py") if path.relative_to(AWS).parts[0] not in _ADMINISTRATORS)


def _calls_of(path: Path) -> set[tuple[str, str]]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(
                func=ast.Attribute(value=receiver, attr="get_paginator"), args=[ast.Constant(value=str(name))]
            ):
                found.add((path.name, name))
            case ast.Call(func=ast.Attribute(value=receiver, attr=name)) if _CLIENT.search(ast.unparse(receiver)):
                found.add((path.name, name))
    return {call for call in found if call[1] not in _NOT_CALLS}
