#Requires -Version 5.1
#{header}
[CmdletBinding()]
param(
  # What the scheduled task asks for: renews when the server says that it is time.
  [switch]$Renew,
  # Takes away all that this script has put onto this machine.
  [switch]$Uninstall
)

$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

#{settings}

$Root = Join-Path ([Environment]::GetFolderPath('LocalApplicationData')) 'Suido'
$LogFile = Join-Path $Root 'log.txt'
$CertReq = Join-Path $env:SystemRoot 'System32\certreq.exe'
$Providers = @(
  @{ Name = 'Microsoft Platform Crypto Provider'; Claim = 'tpm' },
  @{ Name = 'Microsoft Software Key Storage Provider'; Claim = 'software' }
)
# As long as an open browser may still show the certificate from before.
$DaysBeside = 2

function Write-Log {
  param([string]$Text)
  New-Item -ItemType Directory -Force -Path $Root | Out-Null
  if ((Test-Path -LiteralPath $LogFile) -and ((Get-Item -LiteralPath $LogFile).Length -gt 262144)) {
    Move-Item -Force -LiteralPath $LogFile -Destination "$LogFile.old"
  }
  # Not Get-Date -Format: in a Japanese calendar it writes the era's year.
  $line = '{0} {1}' -f [DateTime]::Now.ToString('s'), $Text
  Add-Content -LiteralPath $LogFile -Encoding UTF8 -Value $line
}

function Write-Step {
  param([string]$Text)
  Write-Host $Text
  Write-Log $Text
}

function Assert-Machine {
  $version = [Environment]::OSVersion.Version
  if (($env:OS -ne 'Windows_NT') -or ($version.Major -lt 10)) { throw $Words.tooOld }
  $user = New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())
  # Elevated it may be another person's store, and another person's task.
  if ($user.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) { throw $Words.elevated }
}

function Set-Tls {
  $protocols = [Net.SecurityProtocolType]::Tls12
  # Windows 10 has no TLS 1.3 that works, and fails when asked for it.
  if ([Environment]::OSVersion.Version.Build -ge 22000) {
    $protocols = $protocols -bor [Net.SecurityProtocolType]::Tls13
  }
  [Net.ServicePointManager]::SecurityProtocol = $protocols
}

function Get-ProblemCode {
  param($Failure)
  $text = ''
  if ($null -ne $Failure.ErrorDetails) { $text = $Failure.ErrorDetails.Message }
  elseif ($Failure.Exception.Response -is [Net.HttpWebResponse]) {
    $reader = New-Object IO.StreamReader($Failure.Exception.Response.GetResponseStream())
    $text = $reader.ReadToEnd()
  }
  if ($text -match '"type":"/problems/([a-z-]+)"') { return $Matches[1] }
  return ''
}

function Invoke-Server {
  param([string]$Address, [string]$Method, $Body, $Certificate)
  $request = @{
    Uri = $Address
    Method = $Method
    TimeoutSec = 60
    UseBasicParsing = $true
    Headers = @{ Accept = 'application/json' }
  }
  if ($null -ne $Body) {
    $request.Body = ConvertTo-Json -Compress -InputObject $Body
    $request.ContentType = 'application/json'
  }
  if ($null -ne $Certificate) { $request.Certificate = $Certificate }
  try {
    return Invoke-RestMethod @request
  } catch {
    $failure = $_
    $code = Get-ProblemCode $failure
    Write-Log ('{0} {1}: {2} {3}' -f $Method, ([Uri]$Address).AbsolutePath, $code, $failure.Exception.Message)
    if ($Problems.ContainsKey($code)) { throw $Problems[$code] }
    throw ($Words.unreachable + ' ' + $failure.Exception.Message)
  }
}

function Get-RequestInf {
  param([string]$Name, [string]$Provider)
  $lines = @(
    '[Version]',
    'Signature = "$Windows NT$"',
    '[NewRequest]',
    ('Subject = "CN={0}"' -f $Name),
    ('ProviderName = "{0}"' -f $Provider),
    'KeyAlgorithm = ECDSA_P256',
    'KeyLength = 256',
    'HashAlgorithm = sha256',
    'KeyUsage = 0x80',
    'Exportable = FALSE',
    'MachineKeySet = FALSE',
    'UserProtected = FALSE',
    'UseExistingKeySet = FALSE',
    'RequestType = PKCS10',
    'SMIME = FALSE',
    'Silent = TRUE'
  )
  return ($lines -join "`r`n")
}

function Remove-Request {
  param([string]$Name)
  # By its path: from a pipeline Remove-Item does not know yet that it is about certificates, nor of -DeleteKey.
  Get-ChildItem -Path 'Cert:\CurrentUser\REQUEST' -ErrorAction SilentlyContinue |
    Where-Object { $_.Subject -eq "CN=$Name" } |
    ForEach-Object { Remove-Item -DeleteKey -LiteralPath $_.PSPath }
}

# A key in the machine's TPM, or where that makes none, in Windows' own store. Neither gives it away.
function New-Key {
  $folder = Join-Path ([IO.Path]::GetTempPath()) ([Guid]::NewGuid().ToString())
  New-Item -ItemType Directory -Path $folder | Out-Null
  try {
    foreach ($provider in $Providers) {
      $name = 'suido-' + [Guid]::NewGuid().ToString('N')
      $inf = Join-Path $folder 'request.inf'
      $csr = Join-Path $folder ($provider.Claim + '.csr')
      [IO.File]::WriteAllText($inf, (Get-RequestInf $name $provider.Name), [Text.Encoding]::ASCII)
      $output = & $CertReq -new -user -q $inf $csr
      if (($LASTEXITCODE -eq 0) -and (Test-Path -LiteralPath $csr)) {
        return @{ Name = $name; Claim = $provider.Claim; Csr = [IO.File]::ReadAllText($csr) }
      }
      Write-Log ('{0}: {1} {2}' -f $provider.Name, $LASTEXITCODE, ($output -join ' '))
      Remove-Request $name
    }
    throw $Words.noKey
  } finally {
    Remove-Item -Recurse -Force -LiteralPath $folder
  }
}

function ConvertTo-Certificate {
  param([string]$Pem)
  $base64 = $Pem -replace '-----[A-Z ]+-----', '' -replace '\s', ''
  $octets = [Convert]::FromBase64String($base64)
  New-Object Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList @(, $octets)
}

function Get-Own {
  param([string]$Thumbprint)
  Get-Item -LiteralPath "Cert:\CurrentUser\My\$Thumbprint" -ErrorAction SilentlyContinue
}

function Remove-Own {
  param([string]$Thumbprint)
  $own = "Cert:\CurrentUser\My\$Thumbprint"
  if (Test-Path -LiteralPath $own) { Remove-Item -DeleteKey -LiteralPath $own }
}

# certreq -accept wants a root that Windows trusts, and ours is not put there. What it calls itself takes the certificate
# to its key all the same (4: AllowUntrustedRoot; 1: the current user; 0: Base64 with its lines around it).
function Install-Certificate {
  param($Answer)
  $enrollment = New-Object -ComObject X509Enrollment.CX509Enrollment
  $enrollment.Initialize(1) | Out-Null
  $enrollment.InstallResponse(4, $Answer.certificate, 0, '') | Out-Null
  $store = New-Object Security.Cryptography.X509Certificates.X509Store('CA', 'CurrentUser')
  $store.Open('ReadWrite')
  # The issuing CA, and never the root, which is the last one.
  foreach ($pem in @($Answer.chain | Select-Object -SkipLast 1)) { $store.Add((ConvertTo-Certificate $pem)) }
  $store.Close()
  $own = Get-Own (ConvertTo-Certificate $Answer.certificate).Thumbprint
  if (($null -eq $own) -or (-not $own.HasPrivateKey)) { throw $Words.notInstalled }
  $own.FriendlyName = $Names.certificate
  return $own
}

# The handshake proves that certificate and key are here; the page of the invitation then goes on by itself.
function Test-Proven {
  param([string]$Address, $Certificate)
  foreach ($pause in 2, 5, 15, 0) {
    try {
      $shown = Invoke-Server $Address 'Get' $null $Certificate
      if ($shown.outcome -eq 'proven') { return $true }
      Write-Log ('check: {0}' -f $shown.outcome)
    } catch {
      Write-Log $_.Exception.Message
    }
    Start-Sleep -Seconds $pause
  }
  return $false
}

function New-OwnCertificate {
  param([string]$OneTime)
  $key = New-Key
  try {
    $body = @{ secret = $OneTime; csr = $key.Csr; keyClaim = $key.Claim }
    $answer = Invoke-Server "$Portal/way/script/certificates" 'Post' $body $null
    $own = Install-Certificate $answer
  } catch {
    Remove-Request $key.Name
    throw
  }
  return @{
    Certificate = $own
    DeviceId = $answer.deviceId
    Claim = $key.Claim
    Proven = (Test-Proven $answer.checkUrl $own)
  }
}

function Save-State {
  param([string]$Folder, [string]$Thumbprint, [string]$Previous)
  $state = @{ thumbprint = $Thumbprint; previous = $Previous; since = [DateTime]::UtcNow.ToString('o') }
  $json = ConvertTo-Json -InputObject $state
  [IO.File]::WriteAllText((Join-Path $Folder 'state.json'), $json)
}

function Get-State {
  param([string]$Folder)
  $file = Join-Path $Folder 'state.json'
  if (-not (Test-Path -LiteralPath $file)) { throw $Words.notHere }
  ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($file))
}

function Get-TaskName {
  param([string]$Folder)
  return ('Suido ' + (Split-Path -Leaf $Folder))
}

function Register-Renewal {
  param([string]$Folder, [string]$Script)
  $shell = Join-Path $env:SystemRoot 'System32\WindowsPowerShell\v1.0\powershell.exe'
  $arguments = '-NoProfile -NonInteractive -WindowStyle Hidden -ExecutionPolicy Bypass -File "{0}" -Renew' -f $Script
  $at = [DateTime]::Today.AddHours(9).AddMinutes((Get-Random -Maximum 540))
  $task = @{
    TaskName = (Get-TaskName $Folder)
    Description = $Names.task
    Action = (New-ScheduledTaskAction -Execute $shell -Argument $arguments)
    Trigger = (New-ScheduledTaskTrigger -Daily -At $at)
    Settings = (New-ScheduledTaskSettingsSet -StartWhenAvailable -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries -ExecutionTimeLimit (New-TimeSpan -Minutes 10) -MultipleInstances IgnoreNew)
    Force = $true
  }
  Register-ScheduledTask @task | Out-Null
}

function Unregister-Renewal {
  param([string]$Folder)
  $name = Get-TaskName $Folder
  Get-ScheduledTask -TaskName $name -ErrorAction SilentlyContinue | Unregister-ScheduledTask -Confirm:$false
}

function Install-Own {
  Assert-Machine
  Write-Step $Words.begin
  $made = New-OwnCertificate $Secret
  $claims = @{ tpm = $Words.inTpm; software = $Words.inSoftware }
  Write-Step $claims[$made.Claim]
  if ($made.DeviceId -notmatch '^[0-9a-f-]{36}$') { throw $Words.notInstalled }
  $folder = Join-Path $Root $made.DeviceId
  New-Item -ItemType Directory -Force -Path $folder | Out-Null
  # One that an earlier run has put here goes as after a renewal.
  $before = ''
  if (Test-Path -LiteralPath (Join-Path $folder 'state.json')) { $before = (Get-State $folder).thumbprint }
  Save-State $folder $made.Certificate.Thumbprint $before
  $copy = Join-Path $folder 'renew.ps1'
  # Without the secret, which is spent, and with the mark by which Windows PowerShell knows UTF-8.
  $text = [IO.File]::ReadAllText($PSCommandPath).Replace($Secret, '')
  [IO.File]::WriteAllText($copy, $text, (New-Object Text.UTF8Encoding($true)))
  try {
    Register-Renewal $folder $copy
    Write-Step $Words.renewalSet
  } catch {
    Write-Step ($Words.renewalNotSet + ' ' + $_.Exception.Message)
  }
  if ($made.Proven) { Write-Step $Words.proven } else { Write-Step $Words.notProven }
  Write-Step ($Words.undo + ' powershell -NoProfile -ExecutionPolicy Bypass -File "' + $copy + '" -Uninstall')
}

function Update-Own {
  param([string]$Folder)
  $state = Get-State $Folder
  $since = [DateTime]::Parse($state.since, [Globalization.CultureInfo]::InvariantCulture)
  if ($state.previous -and ((([DateTime]::Now) - $since).TotalDays -gt $DaysBeside)) {
    Remove-Own $state.previous
    Save-State $Folder $state.thumbprint ''
  }
  $own = Get-Own $state.thumbprint
  if (($null -eq $own) -or ($own.NotAfter -lt [DateTime]::Now)) {
    Unregister-Renewal $Folder
    Write-Log $Words.ended
    return
  }
  $answer = Invoke-Server "$Mtls/v1/renewal" 'Post' @{} $own
  if ($answer.replacedBy) {
    # Renewed in a browser, or by a run that was ended before it could write this down.
    $number = $answer.replacedBy
    $other = Get-ChildItem -Path 'Cert:\CurrentUser\My' |
      Where-Object { ($_.SerialNumber.TrimStart('0') -eq $number.TrimStart('0')) -and $_.HasPrivateKey } |
      Select-Object -First 1
    if ($null -eq $other) {
      Unregister-Renewal $Folder
      Write-Log $Words.ended
    } else {
      Save-State $Folder $other.Thumbprint $own.Thumbprint
      Write-Log $Words.replaced
    }
    return
  }
  if (-not $answer.isDue) {
    Write-Log ($Words.notDue + ' ' + $answer.renewFrom)
    return
  }
  $made = New-OwnCertificate $answer.secret
  if ($made.Proven) {
    Save-State $Folder $made.Certificate.Thumbprint $own.Thumbprint
    Write-Log $Words.renewed
  } else {
    # Two in the browser's list, of which one may not work, would be worse. Tomorrow is another try.
    Remove-Own $made.Certificate.Thumbprint
    Write-Log $Words.notRenewed
  }
}

function Uninstall-Own {
  param([string]$Folder)
  $state = Get-State $Folder
  Unregister-Renewal $Folder
  $issuer = ''
  $own = Get-Own $state.thumbprint
  if ($null -ne $own) { $issuer = $own.Issuer }
  foreach ($thumbprint in @($state.thumbprint, $state.previous)) {
    if ($thumbprint) { Remove-Own $thumbprint }
  }
  $others = @(Get-ChildItem -Path 'Cert:\CurrentUser\My' | Where-Object { $_.Issuer -eq $issuer })
  if ($issuer -and ($others.Count -eq 0)) {
    Get-ChildItem -Path 'Cert:\CurrentUser\CA' | Where-Object { $_.Subject -eq $issuer } | Remove-Item
  }
  Remove-Item -Recurse -Force -LiteralPath $Folder
  Write-Step $Words.removed
}

try {
  Set-Tls
  $here = Split-Path -Parent $PSCommandPath
  if ($Uninstall) { Uninstall-Own $here }
  elseif ($Renew) { Update-Own $here }
  else { Install-Own }
} catch {
  Write-Step $_.Exception.Message
  Write-Host ($Words.log + ' ' + $LogFile)
  # For the task's history. At a desk the window stays, so that somebody can read it.
  if ($Renew) { exit 1 }
}
