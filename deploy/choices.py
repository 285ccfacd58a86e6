"""What a stack is made with: each parameter's value, as it is given now, or known to AWS, or as it was before."""

from api_key import digest, draw
from parameters import Refused
from screen import tell

# What the role reaches. It changes for all versions at once.
OF_THE_MODEL = ("InferenceProfileArn", "GuardrailId", "GuardrailVersion")


def choose(template, before, given, account):
    """Every parameter's value, and a key if one had to be drawn. `before` is empty where there is no stack yet."""
    arn = (before | given).get("InferenceProfileArn")
    if not arn:
        raise Refused("there is no such stack yet. Name the inference profile: make deploy PROFILE_ARN=arn:aws:bedrock:…")
    if arn.split(":")[4] != account.number:
        raise Refused(f"the inference profile is of account {arn.split(':')[4]}, and the credentials are of {account.number}")
    models = {"GlobalModelArn": ""} if "DestinationModelArns" in given else account.destinations(arn)
    values = template.effective(before | models | given)

    if not before and "ReservedConcurrency" not in given and account.concurrency <= int(values["ReservedConcurrency"]):
        tell(f"This account runs {account.concurrency} functions at once at most: that is the ceiling, and none are reserved.")
        values["ReservedConcurrency"] = "0"
    reserved, provisioned = int(values["ReservedConcurrency"]), int(values["ProvisionedConcurrency"])
    if reserved and provisioned > reserved:
        raise Refused(f"ProvisionedConcurrency={provisioned} is more than ReservedConcurrency={reserved}")
    had = int(before.get("ReservedConcurrency", 0)) or int(before.get("ProvisionedConcurrency", 0))
    account.check_concurrency(reserved or provisioned, had)
    _check_keys(values["ApiKeys"])
    key = None
    if values["Access"] != "iam" and not values["ApiKeys"] and not values["OpenToAnyone"]:
        key, values["ApiKeys"] = draw()
    template.check_rules(values)
    if values["GuardrailId"]:
        account.check_guardrail(values["GuardrailId"], values["GuardrailVersion"])
    if before:
        _check_change(template.effective(before), values)
    return values, key


def _check_keys(entries):
    """Refuses keys with which the function would not start, or would let in anybody."""
    pairs = [entry.split(":") for entry in entries.split(",") if entry]
    ids, digests = [key_id for key_id, _ in pairs], [sha256.lower() for _, sha256 in pairs]
    if digest("") in digests:
        raise Refused("ApiKeys has the digest of an empty key, as hashing a variable that is not set gives it: draw one, make api-key")
    for what, given in (("id", ids), ("digest", digests)):
        twice = [one for one in given if given.count(one) > 1]
        if twice:
            raise Refused(f"ApiKeys has the {what} {twice[0]} twice, and the function would not start: give each key its own")


def _check_change(before, values):
    """Refuses what would go wrong on the way, while the old version and the new one are both there."""
    changed = [name for name in OF_THE_MODEL if before[name] != values[name]]
    if changed and values["Deployment"] != "AllAtOnce":
        raise Refused(
            f"{' and '.join(changed)} cannot change gradually: the role changes at once, and the version that still serves could "
            "not ask its model. Add PARAMS='Deployment=AllAtOnce', and go back to a gradual one later"
        )
    closes = before["Access"] != "iam" and values["Access"] == "iam"
    if closes and before["ApiKeys"] and not values["ApiKeys"]:
        raise Refused(
            "the version that asks for no key would serve before the door is closed. Do one after the other: "
            "PARAMS='Access=iam', then PARAMS='ApiKeys='"
        )
