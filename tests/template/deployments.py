"""Parameters that make sense together, by name."""

from cloudformation import ACCOUNT

MODEL = "anthropic.claude-haiku-4-5-20251001-v1:0"
KEYS = "one:" + "5e" * 32
CALLER = f"arn:aws:iam::{ACCOUNT}:role/caller"


def model(region):
    return f"arn:aws:bedrock:{region}::foundation-model/{MODEL}"


GEOGRAPHIC = {
    "InferenceProfileArn": f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/us.{MODEL}",
    "DestinationModelArns": ",".join(map(model, ["us-east-1", "us-east-2", "us-west-2"])),
}
GLOBAL = {
    "InferenceProfileArn": f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/global.{MODEL}",
    "DestinationModelArns": model("us-east-1"),
    "GlobalModelArn": model(""),
}
APPLICATION = {
    "InferenceProfileArn": f"arn:aws:bedrock:us-east-1:{ACCOUNT}:application-inference-profile/a1b2c3d4e5f6",
    "DestinationModelArns": ",".join(map(model, ["us-east-1", "us-east-2"])),
}
PROFILES = {"geographic": GEOGRAPHIC, "global": GLOBAL, "application": APPLICATION}

CLOUDFRONT = GEOGRAPHIC | {"ApiKeys": KEYS}
IAM = GEOGRAPHIC | {"Access": "iam", "CallerPrincipal": CALLER}
PUBLIC = GEOGRAPHIC | {"Access": "public", "ApiKeys": KEYS}
ACCESSES = {"cloudfront": CLOUDFRONT, "iam": IAM, "public": PUBLIC}

DEPLOYMENTS = ACCESSES | {
    "cloudfront-open-to-anyone": GEOGRAPHIC | {"OpenToAnyone": "yes-anyone-may-spend"},
    "public-open-to-anyone": GEOGRAPHIC | {"Access": "public", "OpenToAnyone": "yes-anyone-may-spend"},
    "cloudfront-own-domain": CLOUDFRONT
    | {
        "DomainName": "chat.example.com",
        "CertificateArn": f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/11111111-2222-3333-4444-555555555555",
        "WebAclArn": f"arn:aws:wafv2:us-east-1:{ACCOUNT}:global/webacl/chat/11111111-2222-3333-4444-555555555555",
    },
    "iam-nobody-named": GEOGRAPHIC | {"Access": "iam"},
    "iam-global-profile": GLOBAL | {"Access": "iam", "CallerPrincipal": CALLER},
    "iam-application-profile": APPLICATION | {"Access": "iam", "ApiKeys": KEYS},
    "cloudfront-everything": CLOUDFRONT
    | {
        "AllowedOrigins": "https://one.example,https://two.example:8443",
        "Architecture": "arm64",
        "Deployment": "Canary10Percent5Minutes",
        "GuardrailId": "gr1d2e3f4g5h",
        "GuardrailStream": "async",
        "GuardrailVersion": "3",
        "KmsKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555",
        "PriceInputPerMTok": "1",
        "PriceOutputPerMTok": "5",
        "ProvisionedConcurrency": 2,
        "Tracing": "on",
    },
    "small-account": CLOUDFRONT | {"ReservedConcurrency": 0},
}
